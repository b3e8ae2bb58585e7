using System.Security.Cryptography;
using System.Text;
using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>
/// On SQLite, where a transaction has the database to itself from its beginning, reading is locking, and every statement is a call within
/// the process.
/// </summary>
internal sealed class SqliteRows(TimeProvider time) : IRows
{
    /// <inheritdoc/>
    public Task<DateTimeOffset> ReadClockAsync(DsdeDbContext context, CancellationToken cancellationToken) =>
        Task.FromResult(time.GetStorableNow());

    /// <inheritdoc/>
    public async Task<Dictionary<Guid, AddedJob>> AddNewJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<GenerationJob> jobs,
        CancellationToken cancellationToken
    )
    {
        var ids = jobs.Select(job => job.JobId).ToList();
        var known = await context.Jobs.Where(job => ids.Contains(job.JobId)).Select(job => job.JobId).ToListAsync(cancellationToken);
        var added = jobs.Where(job => !known.Contains(job.JobId)).ToList();
        context.Jobs.AddRange(added);
        await context.SaveChangesAsync(cancellationToken);

        var batchIds = added.Select(job => job.BatchId).OfType<Guid>().Distinct().ToList();
        await AddNewBatchesAsync(context, batchIds, cancellationToken);
        var batches = await LockBatchesAsync(context, batchIds, cancellationToken);
        return added.ToDictionary(
            job => job.JobId,
            job => job.BatchId is { } id ? new AddedJob(batches[id].CancelRequestedAt is not null, batches[id].JobCount is null) : default
        );
    }

    /// <inheritdoc/>
    public async Task AddNewBatchesAsync(DsdeDbContext context, IReadOnlyList<Guid> batchIds, CancellationToken cancellationToken)
    {
        var known = await context
            .Batches.Where(batch => batchIds.Contains(batch.BatchId))
            .Select(batch => batch.BatchId)
            .ToListAsync(cancellationToken);
        context.Batches.AddRange(batchIds.Except(known).Select(id => new GenerationBatch { BatchId = id }));
        await context.SaveChangesAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task<Dictionary<Guid, GenerationJob>> LockJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<Guid> jobIds,
        CancellationToken cancellationToken
    ) => context.Jobs.Where(job => jobIds.Contains(job.JobId)).ToDictionaryAsync(job => job.JobId, cancellationToken);

    /// <inheritdoc/>
    public Task<Dictionary<Guid, GenerationBatch>> LockBatchesAsync(
        DsdeDbContext context,
        IReadOnlyList<Guid> batchIds,
        CancellationToken cancellationToken
    ) => context.Batches.Where(batch => batchIds.Contains(batch.BatchId)).ToDictionaryAsync(batch => batch.BatchId, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<LeaseNotice>> RenewAsync(
        DsdeDbContext context,
        IReadOnlyList<JobLease> leases,
        DateTimeOffset until,
        CancellationToken cancellationToken
    )
    {
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
    public async Task<Dictionary<int, Guid?>> EndJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<JobEnd> ends,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var ids = ends.Select(end => end.Lease.JobId).Distinct().ToList();
        var jobs = await LockJobsAsync(context, ids, cancellationToken);
        var batches = new Dictionary<int, Guid?>();
        for (var i = 0; i < ends.Count; i++)
        {
            if (jobs.GetValueOrDefault(ends[i].Lease.JobId) is { State: JobState.Running } job && job.LeaseToken == ends[i].Lease.Token)
            {
                JobMapping.SetEnd(job, ends[i], now);
                batches.Add(i, job.BatchId);
            }
        }

        await context.SaveChangesAsync(cancellationToken);
        var ended = batches.Keys.Select(i => ends[i].Lease.JobId).ToList();
        await context.Checkpoints.Where(row => ended.Contains(row.JobId)).ExecuteDeleteAsync(cancellationToken);
        return batches;
    }

    /// <inheritdoc/>
    public Task AddTracesAsync(DsdeDbContext context, IReadOnlyList<JobTraceRow> traces, CancellationToken cancellationToken)
    {
        context.Traces.AddRange(traces);
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
        var batches = await LockBatchesAsync(context, [.. ends.Select(batch => batch.BatchId)], cancellationToken);
        foreach (var end in ends)
        {
            var batch = batches[end.BatchId];
            var wasComplete = Batches.ToProgress(batch, running: 0).IsComplete;
            batch.CompletedCount += end.Completed;
            batch.FailedCount += end.Failed;
            batch.CancelledCount += end.Cancelled;
            if (!wasComplete && Batches.ToProgress(batch, running: 0).IsComplete)
            {
                batch.CompletedAt = now;
                completed.Add(Batches.ToProgress(batch, running: 0));
            }
        }

        await context.SaveChangesAsync(cancellationToken);
        return completed;
    }

    /// <inheritdoc/>
    public async Task EraseAsync(DsdeDbContext context, IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken)
    {
        foreach (
            var job in await context
                .Jobs.Where(job => jobIds.Contains(job.JobId) && job.EndedAt != null && job.Text != null)
                .ToListAsync(cancellationToken)
        )
        {
            job.TextHash = Hash(job.Text);
            (job.Text, job.TokenIds, job.PromptTokenIds, job.TokenLogProbabilities, job.TopTokenIds, job.TopLogProbabilities) = (
                null,
                null,
                null,
                null,
                null,
                null
            );
            foreach (
                var choice in await context
                    .Choices.Where(choice => choice.JobId == job.JobId && choice.Text != null)
                    .ToListAsync(cancellationToken)
            )
            {
                choice.TextHash = Hash(choice.Text);
                (choice.Text, choice.TokenIds, choice.TokenLogProbabilities, choice.TopTokenIds, choice.TopLogProbabilities) = (
                    null,
                    null,
                    null,
                    null,
                    null
                );
            }
        }

        await context.SaveChangesAsync(cancellationToken);
    }

    private static byte[]? Hash(string? text) => text is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
