namespace Dsde.Persistence.Jobs;

/// <summary>Jobs that are submitted together.</summary>
/// <param name="BatchId">The batch.</param>
/// <param name="JobCount">How many jobs it has.</param>
/// <param name="Source">Where they came from, for example a file name.</param>
public sealed record NewBatch(Guid BatchId, int JobCount, string? Source);
