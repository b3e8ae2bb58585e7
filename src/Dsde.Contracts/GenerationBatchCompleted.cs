namespace Dsde.Contracts;

/// <summary>Event: the last job of a batch has ended. Repeats carry the same message id.</summary>
public sealed record GenerationBatchCompleted
{
    /// <summary>The batch.</summary>
    public required Guid BatchId { get; init; }

    /// <summary>Jobs in the batch.</summary>
    public required int JobCount { get; init; }

    /// <summary>Jobs with an output.</summary>
    public required int CompletedCount { get; init; }

    /// <summary>Jobs that failed.</summary>
    public required int FailedCount { get; init; }

    /// <summary>Jobs cancelled or expired.</summary>
    public required int CancelledCount { get; init; }

    /// <summary>When the last job's end was stored.</summary>
    public required DateTimeOffset CompletedAt { get; init; }
}
