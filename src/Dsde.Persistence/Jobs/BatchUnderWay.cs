namespace Dsde.Persistence.Jobs;

/// <summary>A batch of which jobs are still to end.</summary>
/// <param name="Progress">How far it is.</param>
/// <param name="Source">Where its jobs came from, for example a file name; null if nobody said.</param>
/// <param name="SubmittedAt">When somebody said how many jobs it has; null if nobody did.</param>
public sealed record BatchUnderWay(BatchProgress Progress, string? Source, DateTimeOffset? SubmittedAt);
