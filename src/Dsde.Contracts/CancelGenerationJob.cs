namespace Dsde.Contracts;

/// <summary>Command, published to every worker: end this job, queued or running.</summary>
public sealed record CancelGenerationJob
{
    /// <summary>The job.</summary>
    public required Guid JobId { get; init; }
}
