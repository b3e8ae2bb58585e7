namespace Dsde.Contracts;

/// <summary>Command, published to every worker: end all jobs of this batch, queued or running.</summary>
public sealed record CancelGenerationBatch
{
    /// <summary>The batch.</summary>
    public required Guid BatchId { get; init; }
}
