namespace Dsde.Persistence.Entities;

/// <summary>A row of <c>job_checkpoints</c>: how far an output of a job that has not ended is.</summary>
internal sealed class JobCheckpointRow
{
    public Guid JobId { get; init; }

    public int Choice { get; init; }

    public int TokenCount { get; set; }

    public byte[] State { get; set; } = [];

    public DateTimeOffset StoredAt { get; set; }
}
