using Dsde.Persistence.Jobs;

namespace Dsde.Persistence;

/// <summary>
/// The life of jobs in the database. Every method rides out short disturbances by itself and throws <see cref="DatabaseUnavailableException"/>
/// when the database stays away.
/// </summary>
public interface IJobStore
{
    /// <summary>Takes a job for a worker, or says why not. Safe against any number of workers at once.</summary>
    Task<ClaimResult> ClaimAsync(JobClaim claim, CancellationToken cancellationToken);

    /// <summary>Prolongs all claims of a worker.</summary>
    Task RenewLeasesAsync(string workerId, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Gives a claim back unended, so that the job can be claimed again at once.</summary>
    Task ReleaseAsync(Guid jobId, Guid leaseToken, CancellationToken cancellationToken);

    /// <summary>Stores an end; returns when it is committed. Calls at the same time share a transaction.</summary>
    /// <returns>False if the claim is no longer the caller's: then nothing was written.</returns>
    Task<bool> StoreAsync(JobEnd end, CancellationToken cancellationToken);

    /// <summary>Cancels a job that has not ended; one that is not known yet is remembered as cancelled.</summary>
    /// <returns>Whether the job is cancelled now.</returns>
    Task<bool> CancelJobAsync(Guid jobId, CancellationToken cancellationToken);

    /// <summary>Finds the jobs that are known.</summary>
    Task<IReadOnlyList<StoredJob>> FindAsync(IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken);

    /// <summary>Notes a batch before its jobs are sent; again with the same id changes nothing.</summary>
    Task RegisterBatchAsync(NewBatch batch, CancellationToken cancellationToken);

    /// <summary>How far a batch is; null if it was never registered.</summary>
    Task<BatchProgress?> FindBatchAsync(Guid batchId, CancellationToken cancellationToken);

    /// <summary>The ids of a batch's jobs that are known, running or ended.</summary>
    Task<IReadOnlyList<Guid>> FindBatchJobsAsync(Guid batchId, CancellationToken cancellationToken);

    /// <summary>Notes that a batch's end was announced.</summary>
    Task MarkAnnouncedAsync(Guid batchId, CancellationToken cancellationToken);
}
