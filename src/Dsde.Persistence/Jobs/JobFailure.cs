namespace Dsde.Persistence.Jobs;

/// <summary>Why a job has no output.</summary>
/// <param name="Code">For programs.</param>
/// <param name="Message">For people.</param>
/// <param name="Retryable">Whether sending it again may help.</param>
public sealed record JobFailure(string Code, string Message, bool Retryable);
