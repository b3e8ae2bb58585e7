namespace Dsde.Persistence.Jobs;

/// <summary>The end of a claimed job.</summary>
/// <param name="Lease">From the claim.</param>
/// <param name="Outputs">What was generated; empty if nothing was.</param>
/// <param name="Traces">How; one per output, in the same order.</param>
public abstract record JobEnd(JobLease Lease, IReadOnlyList<JobOutput> Outputs, IReadOnlyList<JobTrace> Traces);

/// <summary>The job has its output.</summary>
/// <param name="Lease">From the claim.</param>
/// <param name="Outputs">What was generated; at least one.</param>
/// <param name="Traces">How; one per output, in the same order.</param>
public sealed record CompletedJobEnd(JobLease Lease, IReadOnlyList<JobOutput> Outputs, IReadOnlyList<JobTrace> Traces)
    : JobEnd(Lease, Outputs, Traces);

/// <summary>The job will have no output.</summary>
/// <param name="Lease">From the claim.</param>
/// <param name="Failure">Why.</param>
public sealed record FailedJobEnd(JobLease Lease, JobFailure Failure) : JobEnd(Lease, [], [])
{
    /// <summary>
    /// Whether the checkpoints stay, because the failure is not the job's: once it is reopened it goes on from them.
    /// </summary>
    public bool KeepsCheckpoints { get; init; }
}

/// <summary>The job was called off, and keeps what there was of its outputs.</summary>
/// <param name="Lease">From the claim.</param>
/// <param name="Reason"><c>cancelled</c> or <c>expired</c>.</param>
/// <param name="Outputs">As far as they came; empty if none was begun.</param>
/// <param name="Traces">One per output, in the same order.</param>
public sealed record CancelledJobEnd(JobLease Lease, string Reason, IReadOnlyList<JobOutput> Outputs, IReadOnlyList<JobTrace> Traces)
    : JobEnd(Lease, Outputs, Traces);
