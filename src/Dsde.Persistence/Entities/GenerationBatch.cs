namespace Dsde.Persistence.Entities;

/// <summary>A row of <c>generation_batches</c>.</summary>
internal sealed class GenerationBatch
{
    public Guid BatchId { get; init; }

    public int JobCount { get; init; }

    public string? Source { get; init; }

    public DateTimeOffset SubmittedAt { get; init; }

    public DateTimeOffset? AnnouncedAt { get; set; }
}
