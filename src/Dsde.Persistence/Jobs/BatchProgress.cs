namespace Dsde.Persistence.Jobs;

/// <summary>How far a batch is.</summary>
/// <param name="BatchId">The batch.</param>
/// <param name="JobCount">Jobs it has; null if nobody said.</param>
/// <param name="Running">Jobs claimed and not ended.</param>
/// <param name="Completed">Jobs with an output.</param>
/// <param name="Failed">Jobs that failed.</param>
/// <param name="Cancelled">Jobs cancelled or expired.</param>
/// <param name="IsAnnounced">Whether the batch's end has been announced.</param>
/// <param name="CompletedAt">When the end of its last job was stored; null before that.</param>
public sealed record BatchProgress(
    Guid BatchId,
    int? JobCount,
    int Running,
    int Completed,
    int Failed,
    int Cancelled,
    bool IsAnnounced,
    DateTimeOffset? CompletedAt
)
{
    /// <summary>Whether somebody has called it off.</summary>
    public bool IsCancelRequested { get; init; }

    /// <summary>Jobs that have ended.</summary>
    public int Ended => Completed + Failed + Cancelled;

    /// <summary>How often the end of one of its jobs was taken back (<see cref="IJobStore.ReopenAsync"/>).</summary>
    public int Reopenings { get; init; }

    /// <summary>Whether all have.</summary>
    public bool IsComplete => Ended >= JobCount;
}
