namespace Dsde.Persistence.Jobs;

/// <summary>An end that is committed.</summary>
/// <param name="EndedAt">When it was stored.</param>
/// <param name="CompletedBatch">The job's batch, if this was the end of its last job; null otherwise.</param>
public sealed record StoredEnd(DateTimeOffset EndedAt, BatchProgress? CompletedBatch);
