namespace Dsde.Persistence.Jobs;

/// <summary>The end of a claimed job.</summary>
/// <param name="JobId">The job.</param>
/// <param name="LeaseToken">From the claim.</param>
public abstract record JobEnd(Guid JobId, Guid LeaseToken);

/// <summary>The job has its output.</summary>
/// <param name="JobId">The job.</param>
/// <param name="LeaseToken">From the claim.</param>
/// <param name="Outputs">What was generated; at least one.</param>
/// <param name="Traces">How; one per output, in the same order.</param>
public sealed record CompletedJobEnd(Guid JobId, Guid LeaseToken, IReadOnlyList<JobOutput> Outputs, IReadOnlyList<JobTrace> Traces) : JobEnd(JobId, LeaseToken);

/// <summary>The job will have no output.</summary>
/// <param name="JobId">The job.</param>
/// <param name="LeaseToken">From the claim.</param>
/// <param name="Failure">Why.</param>
public sealed record FailedJobEnd(Guid JobId, Guid LeaseToken, JobFailure Failure) : JobEnd(JobId, LeaseToken);

/// <summary>The job was called off.</summary>
/// <param name="JobId">The job.</param>
/// <param name="LeaseToken">From the claim.</param>
/// <param name="Reason"><c>cancelled</c> or <c>expired</c>.</param>
public sealed record CancelledJobEnd(Guid JobId, Guid LeaseToken, string Reason) : JobEnd(JobId, LeaseToken);
