namespace Dsde.Persistence.Jobs;

/// <summary>A job of a batch, without what it asks for and what became of it.</summary>
/// <param name="JobId">The job.</param>
/// <param name="CustomId">The submitter's own name for it, if any.</param>
/// <param name="State">Where it stands.</param>
public readonly record struct NamedJob(Guid JobId, string? CustomId, JobState State);
