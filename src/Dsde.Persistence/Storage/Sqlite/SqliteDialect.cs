using System.Security.Cryptography;
using System.Text;
using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Dsde.Persistence.Storage.Sqlite;

/// <summary>
/// On SQLite, where a transaction has the database to itself from its beginning, reading is locking, and every statement is a call within
/// the process.
/// </summary>
internal sealed class SqliteDialect(TimeProvider time) : IDialect
{
    /// <inheritdoc/>
    public Task CommitAsync(DsdeDbContext context, IDbContextTransaction transaction, CancellationToken cancellationToken) =>
        transaction.CommitAsync(cancellationToken);

    /// <inheritdoc/>
    /// <remarks>The file is one machine's.</remarks>
    public Task<DateTimeOffset> ReadClockAsync(DsdeDbContext context, CancellationToken cancellationToken) =>
        Task.FromResult(time.GetStorableNow());

    /// <inheritdoc/>
    /// <remarks>Only waiting has a limit there.</remarks>
    public Task AllowLongQueriesAsync(DsdeDbContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    /// <remarks>Every commit is durable.</remarks>
    public async Task<Dictionary<Guid, AddedJob>> AddNewJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<NewJob> jobs,
        bool isDurable,
        CancellationToken cancellationToken
    )
    {
        var ids = jobs.Select(job => job.Row.JobId).ToList();
        var known = await context.Jobs.Where(job => ids.Contains(job.JobId)).Select(job => job.JobId).ToListAsync(cancellationToken);
        var added = jobs.Where(job => !known.Contains(job.Row.JobId)).ToList();
        foreach (var (row, lease) in added)
        {
            row.LeaseUntil = time.GetStorableNow() + lease;
            context.Jobs.Add(row);
        }

        await context.SaveChangesAsync(cancellationToken);

        var batches = new Dictionary<Guid, GenerationBatch>();
        foreach (var id in added.Select(job => job.Row.BatchId).OfType<Guid>().Distinct())
        {
            await AddNewBatchAsync(context, id, cancellationToken);
            batches.Add(id, await context.Batches.SingleAsync(batch => batch.BatchId == id, cancellationToken));
        }

        return added.ToDictionary(
            job => job.Row.JobId,
            job =>
                job.Row.BatchId is { } id ? new AddedJob(batches[id].CancelRequestedAt is not null, batches[id].JobCount is null) : default
        );
    }

    /// <inheritdoc/>
    public async Task AddNewBatchAsync(DsdeDbContext context, Guid batchId, CancellationToken cancellationToken)
    {
        if (!await context.Batches.AnyAsync(batch => batch.BatchId == batchId, cancellationToken))
        {
            context.Batches.Add(new GenerationBatch { BatchId = batchId });
            await context.SaveChangesAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public Task LockJobAsync(DsdeDbContext context, Guid jobId, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<GenerationBatch?> LockBatchAsync(DsdeDbContext context, Guid batchId, CancellationToken cancellationToken) =>
        context.Batches.SingleOrDefaultAsync(batch => batch.BatchId == batchId, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<LeaseNotice>> RenewAsync(
        DsdeDbContext context,
        IReadOnlyList<JobLease> leases,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
    {
        var until = time.GetStorableNow() + duration;
        var (ids, tokens) = (leases.Select(lease => lease.JobId).ToList(), leases.Select(lease => (Guid?)lease.Token).ToList());
        var held = context.Jobs.Where(job => ids.Contains(job.JobId) && tokens.Contains(job.LeaseToken) && job.State == JobState.Running);
        await held.ExecuteUpdateAsync(set => set.SetProperty(job => job.LeaseUntil, until), cancellationToken);
        var isCancelled = await held.Select(job => new
            {
                job.JobId,
                IsCancelled = job.CancelRequestedAt != null
                    || context.Batches.Any(batch => batch.BatchId == job.BatchId && batch.CancelRequestedAt != null),
            })
            .ToDictionaryAsync(job => job.JobId, job => job.IsCancelled, cancellationToken);
        return
        [
            .. ids.Where(id => isCancelled.GetValueOrDefault(id, true))
                .Select(id => new LeaseNotice(id, isCancelled.ContainsKey(id) ? LeaseNoticeKind.CancelRequested : LeaseNoticeKind.Lost)),
        ];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlySet<Guid>> SaveCheckpointsAsync(
        DsdeDbContext context,
        IReadOnlyList<HeldCheckpoints> saves,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var held = new HashSet<Guid>();
        foreach (var ((jobId, token, _), checkpoints) in saves)
        {
            if (
                !await context.Jobs.AnyAsync(
                    job => job.JobId == jobId && job.LeaseToken == token && job.State == JobState.Running,
                    cancellationToken
                )
            )
            {
                continue;
            }

            held.Add(token);
            foreach (var checkpoint in checkpoints)
            {
                await context.Database.ExecuteSqlAsync(
                    $"""
                    INSERT INTO job_checkpoints (job_id, choice, token_count, state, stored_at)
                    VALUES ({jobId}, {checkpoint.Choice}, {checkpoint.TokenCount}, {checkpoint.State}, {SqliteDbContext.ToText(now)})
                    ON CONFLICT (job_id, choice) DO UPDATE
                    SET token_count = excluded.token_count, state = excluded.state, stored_at = excluded.stored_at
                    """,
                    cancellationToken
                );
            }
        }

        return held;
    }

    /// <inheritdoc/>
    public async Task<Dictionary<int, EndedJob>> EndJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<JobEnd> ends,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var ids = ends.Select(end => end.Lease.JobId).Distinct().ToList();
        var jobs = await context.Jobs.Where(job => ids.Contains(job.JobId)).ToDictionaryAsync(job => job.JobId, cancellationToken);
        var ended = new Dictionary<int, EndedJob>();
        for (var i = 0; i < ends.Count; i++)
        {
            if (jobs.GetValueOrDefault(ends[i].Lease.JobId) is { State: JobState.Running } job && job.LeaseToken == ends[i].Lease.Token)
            {
                JobMapping.SetEnd(job, ends[i], now);
                ended.Add(i, new EndedJob(job.BatchId, job.Workload, job.Model, job.WorkerStartId));
            }
        }

        await context.SaveChangesAsync(cancellationToken);
        var done = ended.Keys.Where(i => ends[i] is not FailedJobEnd { KeepsCheckpoints: true }).Select(i => ends[i].Lease.JobId).ToList();
        await context.Checkpoints.Where(row => done.Contains(row.JobId)).ExecuteDeleteAsync(cancellationToken);
        return ended;
    }

    /// <inheritdoc/>
    public Task AddTracesAsync(
        DsdeDbContext context,
        IReadOnlyList<NewTrace> traces,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        foreach (var trace in traces)
        {
            context.AddTrace(trace, now);
        }

        return context.SaveChangesAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<BatchProgress>> CountEndsAsync(
        DsdeDbContext context,
        IReadOnlyList<BatchEnds> ends,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var completed = new List<BatchProgress>();
        foreach (var end in ends)
        {
            var batch = await context.Batches.SingleAsync(row => row.BatchId == end.BatchId, cancellationToken);
            var wasComplete = BatchRegister.ToProgress(batch, running: 0).IsComplete;
            batch.CompletedCount += end.Completed;
            batch.FailedCount += end.Failed;
            batch.CancelledCount += end.Cancelled;
            if (!wasComplete && BatchRegister.ToProgress(batch, running: 0).IsComplete)
            {
                batch.CompletedAt = now;
                completed.Add(BatchRegister.ToProgress(batch, running: 0));
            }
        }

        await context.SaveChangesAsync(cancellationToken);
        return completed;
    }

    /// <inheritdoc/>
    public async Task EraseAsync(DsdeDbContext context, IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken)
    {
        var jobs = await context
            .Jobs.Where(job => jobIds.Contains(job.JobId) && job.EndedAt != null && job.Text != null)
            .ToListAsync(cancellationToken);
        foreach (var job in jobs)
        {
            (job.TextHash, job.Text) = (Hash(job.Text), null);
            (job.TokenIds, job.PromptTokenIds, job.TokenLogProbabilities) = (null, null, null);
            (job.TopTokenIds, job.TopLogProbabilities, job.TokenBytes) = (null, null, null);
        }

        var erased = jobs.Select(job => job.JobId).ToList();
        foreach (var choice in await context.Choices.Where(choice => erased.Contains(choice.JobId)).ToListAsync(cancellationToken))
        {
            (choice.TextHash, choice.Text) = (Hash(choice.Text), null);
            (choice.TokenIds, choice.PromptTokenIds, choice.TokenLogProbabilities) = (null, null, null);
            (choice.TopTokenIds, choice.TopLogProbabilities, choice.TokenBytes) = (null, null, null);
        }

        await context.SaveChangesAsync(cancellationToken);
    }

    private static byte[]? Hash(string? text) => text is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
