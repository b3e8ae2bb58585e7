using Dsde.Persistence.Storage;

namespace Dsde.Persistence.Jobs;

/// <summary>A job as the database knows it.</summary>
public sealed record StoredJob
{
    /// <summary>The job.</summary>
    public required Guid JobId { get; init; }

    /// <summary>Its batch, if any.</summary>
    public Guid? BatchId { get; init; }

    /// <summary>The submitter's own name for it, if any.</summary>
    public string? CustomId { get; init; }

    /// <summary>The request in canonical JSON; null as long as a job that is to be cancelled has not come to a worker.</summary>
    public string? Request { get; init; }

    /// <summary>SHA-256 of the whole request in canonical JSON; null as above.</summary>
    public byte[]? RequestHash { get; init; }

    /// <summary>Alias of the model; null as above.</summary>
    public string? Model { get; init; }

    /// <summary>The group it belongs to in reports, if any.</summary>
    public string? Workload { get; init; }

    /// <summary>Where it stands.</summary>
    public required JobState State { get; init; }

    /// <summary>When it became known.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Whether somebody has called it off; its batch may be called off without that.</summary>
    public bool IsCancelRequested { get; init; }

    /// <summary>When its end was stored.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How often it was started.</summary>
    public required int Attempt { get; init; }

    /// <summary>How often its end was taken back.</summary>
    public int Reopenings { get; init; }

    /// <summary>The outputs of a completed job, in order, or what a cancelled one had of them; empty for others.</summary>
    public IReadOnlyList<JobOutput> Outputs { get; init; } = [];

    /// <summary>The counts and times of the outputs' traces, in the same order; an output without a token has none.</summary>
    public IReadOnlyList<TraceSummary> Traces { get; init; } = [];

    /// <summary>Why a failed job has no output.</summary>
    public JobFailure? Failure { get; init; }

    /// <summary><c>cancelled</c> or <c>expired</c>, of a cancelled job.</summary>
    public string? CancelReason { get; init; }

    /// <summary>An ended job as <see cref="IJobStore.FindAsync"/> would read it back, without asking the database.</summary>
    /// <param name="claim">What was claimed.</param>
    /// <param name="claimed">What the claim came to.</param>
    /// <param name="end">What was stored.</param>
    /// <param name="stored">What storing it came to.</param>
    public static StoredJob From(JobClaim claim, ClaimResult.Claimed claimed, JobEnd end, StoredEnd stored)
    {
        ArgumentNullException.ThrowIfNull(claim);
        ArgumentNullException.ThrowIfNull(claimed);
        ArgumentNullException.ThrowIfNull(end);
        ArgumentNullException.ThrowIfNull(stored);
        (claim, end) = (StorableText.Clean(claim), StorableText.Clean(end));
        return new StoredJob
        {
            JobId = claim.JobId,
            BatchId = claim.BatchId,
            CustomId = claim.CustomId,
            Request = claim.Request,
            RequestHash = claim.RequestHash,
            Model = claim.Model,
            Workload = claim.Workload,
            State = JobMapping.StateOf(end),
            CreatedAt = claimed.CreatedAt,
            EndedAt = stored.EndedAt,
            Attempt = claimed.Attempt,
            Reopenings = claimed.Reopenings,
            Outputs = end.Outputs,
            Traces = [.. end.Traces.Where(trace => trace.CompletionTokens > 0).Select(TraceSummary.Of)],
            Failure = (end as FailedJobEnd)?.Failure,
            CancelReason = (end as CancelledJobEnd)?.Reason,
        };
    }
}
