namespace Dsde.Contracts;

/// <summary>Event: a job was cancelled or its deadline passed. Repeats carry the same message id.</summary>
public sealed record GenerationJobCancelled
{
    /// <summary>The job.</summary>
    public required Guid JobId { get; init; }

    /// <summary>Its batch, if any.</summary>
    public Guid? BatchId { get; init; }

    /// <summary>The submitter's own name for it, if any.</summary>
    public string? CustomId { get; init; }

    /// <summary><c>cancelled</c> or <c>expired</c>.</summary>
    public required string Reason { get; init; }

    /// <summary>The output as far as it came, of several the first; null if none was begun, or above the size limit.</summary>
    public string? Text { get; init; }

    /// <summary>Where that is when it is too large for the event, for example <c>generation_jobs/{job id}</c>.</summary>
    public string? TextLocation { get; init; }

    /// <summary>Tokens used, of all outputs; null if none was begun.</summary>
    public GenerationUsage? Usage { get; init; }

    /// <summary>
    /// All outputs of a job that has more than one, as far as they came, the first included; null otherwise, and if none was begun.
    /// </summary>
    public IReadOnlyList<GenerationChoice>? Choices { get; init; }

    /// <summary>The submitter's labels.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>When the end was stored.</summary>
    public required DateTimeOffset CancelledAt { get; init; }
}
