namespace Dsde.Persistence.Analysis;

/// <summary>A job that has ended, without its prompt and its output.</summary>
public sealed record JobSummary
{
    /// <summary>The job.</summary>
    public required Guid JobId { get; init; }

    /// <summary>Its batch; null for a job on its own.</summary>
    public Guid? BatchId { get; init; }

    /// <summary>The submitter's own name for it.</summary>
    public string? CustomId { get; init; }

    /// <summary>Alias of the model it asked for.</summary>
    public string? Model { get; init; }

    /// <summary>Its label.</summary>
    public string? Workload { get; init; }

    /// <summary>What became of it: <c>completed</c>, <c>failed</c> or <c>cancelled</c>.</summary>
    public required string State { get; init; }

    /// <summary>The worker that ended it.</summary>
    public string? WorkerId { get; init; }

    /// <summary>How often it was started.</summary>
    public required int Attempt { get; init; }

    /// <summary>When it was sent, by the sender's clock.</summary>
    public DateTimeOffset? SubmittedAt { get; init; }

    /// <summary>When it became known.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last started.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When its end was stored.</summary>
    public required DateTimeOffset EndedAt { get; init; }

    /// <summary>What ended its output.</summary>
    public string? FinishReason { get; init; }

    /// <summary>Tokens of its prompt.</summary>
    public int? PromptTokens { get; init; }

    /// <summary>Tokens of its output.</summary>
    public int? CompletionTokens { get; init; }

    /// <summary>Why it failed.</summary>
    public string? FailureCode { get; init; }

    /// <summary>Why it was cancelled.</summary>
    public string? CancelReason { get; init; }
}
