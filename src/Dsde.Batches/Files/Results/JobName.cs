namespace Dsde.Batches.Files.Results;

/// <summary>What tells a job of a batch from the others.</summary>
/// <param name="JobId">The job.</param>
/// <param name="CustomId">The submitter's name for it, if any.</param>
/// <param name="HasEnded">Whether it has an end.</param>
internal readonly record struct JobName(Guid JobId, string? CustomId, bool HasEnded);
