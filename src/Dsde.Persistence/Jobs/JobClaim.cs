namespace Dsde.Persistence.Jobs;

/// <summary>A worker's wish to run a job.</summary>
public sealed record JobClaim
{
    /// <summary>The job.</summary>
    public required Guid JobId { get; init; }

    /// <summary>Its batch, if any.</summary>
    public Guid? BatchId { get; init; }

    /// <summary>
    /// How many jobs the batch has, if the submitter said so with the job; a batch that is not registered yet is registered with it.
    /// </summary>
    public int? BatchJobCount { get; init; }

    /// <summary>The submitter's own name for it, if any.</summary>
    public string? CustomId { get; init; }

    /// <summary>SHA-256 of the whole request in canonical JSON: another request under the same id is a conflict.</summary>
    public required byte[] RequestHash { get; init; }

    /// <summary>The request in canonical JSON, or as much of it as may be stored. Valid JSON, at most a few hundred levels deep.</summary>
    public required string Request { get; init; }

    /// <summary>Alias of the model.</summary>
    public required string Model { get; init; }

    /// <summary>The group it belongs to in reports, if any.</summary>
    public string? Workload { get; init; }

    /// <summary>The submitter's trace context (W3C traceparent), if any.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Who wants to run it; unique among living workers.</summary>
    public required string WorkerId { get; init; }

    /// <summary>Which start of that worker.</summary>
    public required Guid WorkerStartId { get; init; }

    /// <summary>When it was sent, by the sender's clock, if the message says so.</summary>
    public DateTimeOffset? SubmittedAt { get; init; }

    /// <summary>
    /// Token of the lease that the claim becomes: new for every claim, the same when it is tried again because nobody knows whether it
    /// was heard.
    /// </summary>
    public required Guid LeaseToken { get; init; }

    /// <summary>How long the claim holds unless it is renewed.</summary>
    public required TimeSpan Lease { get; init; }
}
