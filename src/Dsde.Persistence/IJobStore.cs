using Dsde.Persistence.Jobs;

namespace Dsde.Persistence;

/// <summary>
/// The life of jobs in the database. Only the holder of a job's lease writes about it, so every end has one writer. Every method rides out
/// short disturbances by itself and throws <see cref="DatabaseUnavailableException"/> when the database stays away.
/// </summary>
public interface IJobStore
{
    /// <summary>
    /// Takes a job for a worker, or says why not. Safe against any number of workers at once, whatever their clocks say: leases are by the
    /// database's. Claims at the same time share a transaction. Tried again with the same token it is the same claim.
    /// </summary>
    Task<ClaimResult> ClaimAsync(JobClaim claim, CancellationToken cancellationToken);

    /// <summary>Prolongs leases. That of a job which somebody keeps locked just then stays as it is, and is not lost by that.</summary>
    /// <returns>What has happened to some of the jobs; nothing for those of which there is nothing to say.</returns>
    Task<IReadOnlyList<LeaseNotice>> RenewAsync(IReadOnlyList<JobLease> leases, TimeSpan duration, CancellationToken cancellationToken);

    /// <summary>Notes where a claimed job is; before the engine gets it, if it is alone there.</summary>
    /// <returns>False if the job is no longer the caller's.</returns>
    Task<bool> MarkAsync(JobLease lease, JobPlace place, CancellationToken cancellationToken);

    /// <summary>
    /// Saves how far a job's outputs are, over what was saved before; gone when the job ends. What is saved at the same time shares a
    /// connection and a transaction.
    /// </summary>
    /// <returns>False if the job is no longer the caller's.</returns>
    Task<bool> SaveCheckpointsAsync(JobLease lease, IReadOnlyList<JobCheckpoint> checkpoints, CancellationToken cancellationToken);

    /// <summary>Gives a job back unended, so that it can be claimed again at once; its checkpoints stay.</summary>
    Task ReleaseAsync(JobLease lease, CancellationToken cancellationToken);

    /// <summary>
    /// Stores an end, and counts it in the job's batch; returns when it is committed. Calls at the same time share a transaction. May be
    /// called again when nobody knows whether it was heard: an end that is stored already is found.
    /// </summary>
    /// <returns>Null if the job is no longer the caller's, or has another end: then nothing was written.</returns>
    Task<StoredEnd?> StoreAsync(JobEnd end, CancellationToken cancellationToken);

    /// <summary>Removes the texts, token ids and log-probabilities of a job that has ended; the SHA-256 of each text stays.</summary>
    Task EraseAsync(Guid jobId, CancellationToken cancellationToken);

    /// <summary>
    /// Asks for the end of a job: whoever holds it or claims it next ends it. One that is not known yet is remembered.
    /// </summary>
    /// <returns>False if it has ended already.</returns>
    Task<bool> CancelJobAsync(Guid jobId, CancellationToken cancellationToken);

    /// <summary>
    /// Asks for the end of all jobs of a batch, those that are not known yet included; the batch itself need not be known.
    /// </summary>
    Task CancelBatchAsync(Guid batchId, CancellationToken cancellationToken);

    /// <summary>Makes a failed job one that can be claimed again, as if it had never been started; its batch is open again.</summary>
    /// <returns>False if the job is not known or has not failed.</returns>
    Task<bool> ReopenAsync(Guid jobId, CancellationToken cancellationToken);

    /// <summary>Finds the jobs that are known.</summary>
    Task<IReadOnlyList<StoredJob>> FindAsync(IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken);

    /// <summary>Whether a job has been seen by a worker, or marked to be cancelled.</summary>
    Task<bool> IsJobKnownAsync(Guid jobId, CancellationToken cancellationToken);

    /// <summary>Whether a batch was registered, one of its jobs seen by a worker, or the batch marked to be cancelled.</summary>
    Task<bool> IsBatchKnownAsync(Guid batchId, CancellationToken cancellationToken);

    /// <summary>The SHA-256 of the canonical requests of those of the jobs that a worker has seen.</summary>
    Task<IReadOnlyDictionary<Guid, byte[]>> FindRequestHashesAsync(IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken);

    /// <summary>
    /// The jobs of a batch that have ended, in the order in which workers first saw them, then by <c>custom_id</c>. Those that end
    /// meanwhile may be among them.
    /// </summary>
    IAsyncEnumerable<StoredJob> ReadEndedAsync(Guid batchId, CancellationToken cancellationToken);

    /// <summary>The jobs of a batch that are known, ended or not, in the same order.</summary>
    IAsyncEnumerable<NamedJob> ReadNamesAsync(Guid batchId, CancellationToken cancellationToken);

    /// <summary>Batches of which jobs are still to end, the latest submitted first.</summary>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<IReadOnlyList<BatchUnderWay>> FindBatchesUnderWayAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Workers that are alive, by name.</summary>
    /// <param name="seenWithin">How long ago each has said so at most, by the database's clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<IReadOnlyList<LivingWorker>> FindWorkersAsync(TimeSpan seenWithin, CancellationToken cancellationToken);

    /// <summary>Aliases of models that workers serve, or have served as far as their starts are remembered, in their order.</summary>
    Task<IReadOnlyList<string>> FindModelsAsync(CancellationToken cancellationToken);

    /// <summary>Notes a batch before its jobs are sent; again with the same id changes nothing.</summary>
    Task RegisterBatchAsync(NewBatch batch, CancellationToken cancellationToken);

    /// <summary>How far a batch is; null if it is not known.</summary>
    Task<BatchProgress?> FindBatchAsync(Guid batchId, CancellationToken cancellationToken);

    /// <summary>Notes that a batch's end was announced.</summary>
    Task MarkBatchAnnouncedAsync(Guid batchId, CancellationToken cancellationToken);
}
