using Dsde.Persistence.Jobs;

namespace Dsde.Persistence.Entities;

/// <summary>A row of <c>generation_jobs</c>; of several outputs it holds the first, and <see cref="JobChoice"/> the others.</summary>
internal sealed class GenerationJob
{
    public Guid JobId { get; init; }

    public Guid? BatchId { get; set; }

    public string? CustomId { get; set; }

    public string? Model { get; set; }

    public string? Workload { get; set; }

    public string? Request { get; set; }

    public byte[]? RequestHash { get; set; }

    public string? TraceParent { get; set; }

    public JobState State { get; set; }

    public string? WorkerId { get; set; }

    /// <summary>Which start of that worker.</summary>
    public Guid? WorkerStartId { get; set; }

    public Guid? LeaseToken { get; set; }

    public DateTimeOffset? LeaseUntil { get; set; }

    public int Attempt { get; set; }

    /// <summary>Starts that were lost since the job last came further.</summary>
    public int LostStarts { get; set; }

    /// <summary>Those of them that were lost while nothing ran beside the job.</summary>
    public int LostAlone { get; set; }

    public int TokensAtStart { get; set; }

    /// <summary>Whether whoever holds it has let it into the engine, which makes its claim a start.</summary>
    public bool IsStarted { get; set; }

    /// <summary>Whether it is the only one there.</summary>
    public bool IsAlone { get; set; }

    public DateTimeOffset? SubmittedAt { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }

    public DateTimeOffset? CancelRequestedAt { get; set; }

    public string? Text { get; set; }

    public byte[]? TextHash { get; set; }

    public string? FinishReason { get; set; }

    public int? PromptTokens { get; set; }

    public int? CompletionTokens { get; set; }

    public int[]? TokenIds { get; set; }

    public int[]? PromptTokenIds { get; set; }

    public float[]? TokenLogProbabilities { get; set; }

    public int[]? TopTokenIds { get; set; }

    public float[]? TopLogProbabilities { get; set; }

    public byte[]? TokenBytes { get; set; }

    public string? FailureCode { get; set; }

    public string? FailureMessage { get; set; }

    public bool? FailureRetryable { get; set; }

    public string? CancelReason { get; set; }

    /// <summary>How often its end was taken back.</summary>
    public int Reopenings { get; set; }
}
