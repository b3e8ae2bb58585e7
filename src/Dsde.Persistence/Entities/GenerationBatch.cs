namespace Dsde.Persistence.Entities;

/// <summary>
/// A row of <c>generation_batches</c>. It is there from the first claim of one of its jobs on, so that no end goes uncounted.
/// </summary>
internal sealed class GenerationBatch
{
    public Guid BatchId { get; init; }

    public int? JobCount { get; set; }

    public string? Source { get; set; }

    public DateTimeOffset? SubmittedAt { get; set; }

    public int CompletedCount { get; set; }

    public int FailedCount { get; set; }

    public int CancelledCount { get; set; }

    public DateTimeOffset? CancelRequestedAt { get; set; }

    public DateTimeOffset? CompletedAt { get; set; }

    public DateTimeOffset? AnnouncedAt { get; set; }

    /// <summary>How often the end of one of its jobs was taken back.</summary>
    public int Reopenings { get; set; }
}
