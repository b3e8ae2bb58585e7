namespace Dsde.Pipeline.Hosting.Status;

/// <summary>A job that has ended here.</summary>
/// <param name="Id">The job.</param>
/// <param name="Outcome"><c>completed</c>, <c>failed</c> or <c>cancelled</c>.</param>
/// <param name="FailureCode">Why it failed; null if it did not.</param>
/// <param name="At">When.</param>
/// <param name="Tokens">Of all its outputs.</param>
/// <param name="Proposed">Tokens proposed.</param>
/// <param name="Accepted">Of these, accepted and kept.</param>
/// <param name="EngineMs">Time in the engine, in milliseconds; null if it was not there.</param>
internal sealed record StatusEnd(
    Guid Id,
    string Outcome,
    string? FailureCode,
    DateTimeOffset? At,
    int Tokens,
    int Proposed,
    int Accepted,
    double? EngineMs
);
