using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore.Storage;

namespace Dsde.Persistence.Storage;

/// <summary>
/// What the databases do in ways of their own: everything that is done once per job, and whatever needs locks or a clock. All of it within
/// the context's transaction, in which jobs are locked before batches, both in order of their ids.
/// </summary>
internal interface IDialect
{
    /// <summary>Commits, or fails; never takes a transaction that was rolled back for one that is committed.</summary>
    Task CommitAsync(DsdeDbContext context, IDbContextTransaction transaction, CancellationToken cancellationToken);

    /// <summary>What time it is for leases and for who is alive: the database's own clock, where several machines share it.</summary>
    Task<DateTimeOffset> ReadClockAsync(DsdeDbContext context, CancellationToken cancellationToken);

    /// <summary>Lets what reads a whole table take minutes, within the context's transaction.</summary>
    Task AllowLongQueriesAsync(DsdeDbContext context, CancellationToken cancellationToken);

    /// <summary>Adds the jobs that are not there yet, and their batches if those are not.</summary>
    /// <param name="context">With a transaction.</param>
    /// <param name="jobs">Their rows.</param>
    /// <param name="isDurable">Whether the commit waits until the rows are on disk.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Those that were added, and what there is to say of their batches.</returns>
    Task<Dictionary<Guid, AddedJob>> AddNewJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<NewJob> jobs,
        bool isDurable,
        CancellationToken cancellationToken
    );

    /// <summary>Adds a batch if it is not there yet.</summary>
    Task AddNewBatchAsync(DsdeDbContext context, Guid batchId, CancellationToken cancellationToken);

    /// <summary>Keeps others from changing a job; it may not be there.</summary>
    Task LockJobAsync(DsdeDbContext context, Guid jobId, CancellationToken cancellationToken);

    /// <summary>Keeps others from changing a batch, and loads it; null if it is not there.</summary>
    Task<GenerationBatch?> LockBatchAsync(DsdeDbContext context, Guid batchId, CancellationToken cancellationToken);

    /// <summary>Prolongs leases.</summary>
    Task<IReadOnlyList<LeaseNotice>> RenewAsync(
        DsdeDbContext context,
        IReadOnlyList<JobLease> leases,
        TimeSpan duration,
        CancellationToken cancellationToken
    );

    /// <summary>Saves those of the checkpoints whose jobs are still held, over those before.</summary>
    /// <returns>The tokens of the leases that are.</returns>
    Task<IReadOnlySet<Guid>> SaveCheckpointsAsync(
        DsdeDbContext context,
        IReadOnlyList<HeldCheckpoints> saves,
        DateTimeOffset now,
        CancellationToken cancellationToken
    );

    /// <summary>Ends those of the jobs that are still held, and removes their checkpoints.</summary>
    /// <returns>What is known of them, by the position of the end.</returns>
    Task<Dictionary<int, EndedJob>> EndJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<JobEnd> ends,
        DateTimeOffset now,
        CancellationToken cancellationToken
    );

    /// <summary>Adds traces.</summary>
    Task AddTracesAsync(DsdeDbContext context, IReadOnlyList<NewTrace> traces, DateTimeOffset now, CancellationToken cancellationToken);

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

/// <summary>A job that is perhaps not known yet.</summary>
/// <param name="Row">What to store of it, but for the end of its lease.</param>
/// <param name="Lease">How long it is held from now on; null if it is nobody's.</param>
internal readonly record struct NewJob(GenerationJob Row, TimeSpan? Lease);

/// <summary>What there is to say of the batch of a job that was added.</summary>
/// <param name="IsCancelled">It is to be cancelled.</param>
/// <param name="IsUncounted">Nobody has said how many jobs it has.</param>
internal readonly record struct AddedJob(bool IsCancelled, bool IsUncounted);

/// <summary>How far the outputs of a held job are.</summary>
internal sealed record HeldCheckpoints(JobLease Lease, IReadOnlyList<JobCheckpoint> Checkpoints);

/// <summary>What a job's row says that its traces repeat, so that they can be looked through by themselves.</summary>
internal readonly record struct EndedJob(Guid? BatchId, string? Workload, string? Model, Guid? WorkerStartId);

/// <summary>The trace of an output of a job that has just ended.</summary>
internal readonly record struct NewTrace(JobLease Lease, int Choice, JobTrace Trace, EndedJob Job, JobState State);

/// <summary>Jobs of a batch that end together.</summary>
internal readonly record struct BatchEnds(Guid BatchId, int Completed, int Failed, int Cancelled);
