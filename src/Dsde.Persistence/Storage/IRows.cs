using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;

namespace Dsde.Persistence.Storage;

/// <summary>
/// What the databases do in ways of their own: everything that is done once per job, and whatever needs locks. All of it within the
/// context's transaction, in which jobs are locked before batches, both in order of their ids.
/// </summary>
internal interface IRows
{
    /// <summary>What time it is for leases and for who is alive: the database's own clock, where several machines share it.</summary>
    Task<DateTimeOffset> ReadClockAsync(DsdeDbContext context, CancellationToken cancellationToken);

    /// <summary>Adds the jobs that are not there yet, and their batches if those are not.</summary>
    /// <returns>Those that were added, and what there is to say of their batches.</returns>
    Task<Dictionary<Guid, AddedJob>> AddNewJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<GenerationJob> jobs,
        CancellationToken cancellationToken
    );

    /// <summary>Adds the batches that are not there yet.</summary>
    Task AddNewBatchesAsync(DsdeDbContext context, IReadOnlyList<Guid> batchIds, CancellationToken cancellationToken);

    /// <summary>Keeps others from changing some jobs; loads those that are there.</summary>
    Task<Dictionary<Guid, GenerationJob>> LockJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<Guid> jobIds,
        CancellationToken cancellationToken
    );

    /// <summary>Keeps others from changing some batches; loads those that are there.</summary>
    Task<Dictionary<Guid, GenerationBatch>> LockBatchesAsync(
        DsdeDbContext context,
        IReadOnlyList<Guid> batchIds,
        CancellationToken cancellationToken
    );

    /// <summary>Prolongs leases.</summary>
    Task<IReadOnlyList<LeaseNotice>> RenewAsync(
        DsdeDbContext context,
        IReadOnlyList<JobLease> leases,
        DateTimeOffset until,
        CancellationToken cancellationToken
    );

    /// <summary>Ends those of the jobs that are still held, and removes their checkpoints.</summary>
    /// <returns>Their batches, by the position of the end.</returns>
    Task<Dictionary<int, Guid?>> EndJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<JobEnd> ends,
        DateTimeOffset now,
        CancellationToken cancellationToken
    );

    /// <summary>Adds traces.</summary>
    Task AddTracesAsync(DsdeDbContext context, IReadOnlyList<JobTraceRow> traces, CancellationToken cancellationToken);

    /// <summary>Counts ends; last in a transaction, because batches are what transactions wait for.</summary>
    /// <returns>The batches that are complete by these ends and were not before.</returns>
    Task<IReadOnlyList<BatchProgress>> CountEndsAsync(
        DsdeDbContext context,
        IReadOnlyList<BatchEnds> ends,
        DateTimeOffset now,
        CancellationToken cancellationToken
    );

    /// <summary>Leaves of the texts of ended jobs their hashes, of their outputs the counts.</summary>
    Task EraseAsync(DsdeDbContext context, IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken);
}

/// <summary>What there is to say of the batch of a job that was added.</summary>
/// <param name="IsCancelled">It is to be cancelled.</param>
/// <param name="IsUncounted">Nobody has said how many jobs it has.</param>
internal readonly record struct AddedJob(bool IsCancelled, bool IsUncounted);

/// <summary>Jobs of a batch that end together.</summary>
internal readonly record struct BatchEnds(Guid BatchId, int Completed, int Failed, int Cancelled);
