using System.Runtime.CompilerServices;
using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>What is asked of the database by those that only want to know.</summary>
internal sealed class JobQueries(Database database, IRows rows)
{
    private const int PageSize = 100;

    public Task<bool> IsJobKnownAsync(Guid jobId, CancellationToken cancellationToken) =>
        database.RunAsync((context, token) => context.Jobs.AnyAsync(job => job.JobId == jobId, token), cancellationToken);

    public Task<bool> IsBatchKnownAsync(Guid batchId, CancellationToken cancellationToken) =>
        database.RunAsync((context, token) => context.Batches.AnyAsync(batch => batch.BatchId == batchId, token), cancellationToken);

    public Task<IReadOnlyDictionary<Guid, byte[]>> FindRequestHashesAsync(
        IReadOnlyList<Guid> jobIds,
        CancellationToken cancellationToken
    ) =>
        database.RunAsync<IReadOnlyDictionary<Guid, byte[]>>(
            async (context, token) =>
                await context
                    .Jobs.Where(job => jobIds.Contains(job.JobId) && job.RequestHash != null)
                    .Select(job => new { job.JobId, job.RequestHash })
                    .ToDictionaryAsync(job => job.JobId, job => job.RequestHash ?? [], token),
            cancellationToken
        );

    public Task<IReadOnlyList<StoredJob>> FindAsync(IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken) =>
        database.RunAsync(
            async (context, token) =>
                await JobReading.ReadAsync(
                    context,
                    await context.Jobs.AsNoTracking().Where(job => jobIds.Contains(job.JobId)).ToListAsync(token),
                    token
                ),
            cancellationToken
        );

    /// <summary>In pages, each from where the one before ended, so that nothing is held while the reader works on one.</summary>
    public async IAsyncEnumerable<StoredJob> ReadEndedAsync(Guid batchId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IReadOnlyList<StoredJob>? page = null;
        do
        {
            page = await ReadPageAsync(batchId, page?[^1], cancellationToken);
            foreach (var job in page)
            {
                yield return job;
            }
        } while (page.Count == PageSize);
    }

    public Task<IReadOnlyList<BatchUnderWay>> FindBatchesUnderWayAsync(int limit, CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<BatchUnderWay>>(
            async (context, token) =>
            {
                var batches = await context
                    .Batches.AsNoTracking()
                    .Where(batch => batch.CompletedAt == null)
                    .Select(batch => new
                    {
                        Row = batch,
                        Running = context.Jobs.Count(job => job.BatchId == batch.BatchId && job.State == JobState.Running),
                    })
                    .Where(batch => batch.Row.JobCount != null || batch.Running > 0) // else it is only a mark: nobody knows of a job
                    .OrderBy(batch => batch.Row.SubmittedAt == null)
                    .ThenByDescending(batch => batch.Row.SubmittedAt)
                    .ThenBy(batch => batch.Row.BatchId)
                    .Take(limit)
                    .ToListAsync(token);
                return
                [
                    .. batches.Select(batch => new BatchUnderWay(
                        Batches.ToProgress(batch.Row, batch.Running),
                        batch.Row.Source,
                        batch.Row.SubmittedAt
                    )),
                ];
            },
            cancellationToken
        );

    public Task<IReadOnlyList<LivingWorker>> FindWorkersAsync(TimeSpan seenWithin, CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<LivingWorker>>(
            async (context, token) =>
            {
                var now = await rows.ReadClockAsync(context, token);
                var oldest = now - seenWithin;
                var workers = await context
                    .Workers.AsNoTracking()
                    .Where(worker => worker.SeenAt >= oldest)
                    .OrderBy(worker => worker.WorkerId)
                    .ToListAsync(token);
                return [.. workers.Select(worker => ToWorker(worker, now))];
            },
            cancellationToken
        );

    private static LivingWorker ToWorker(WorkerRow row, DateTimeOffset now) =>
        new(
            row.WorkerId,
            row.StartedAt,
            now - row.SeenAt,
            row.Host,
            row.Version,
            row.Models,
            row.BatchSize,
            row.HeldJobs,
            row.WaitingForClaim
        );

    private Task<IReadOnlyList<StoredJob>> ReadPageAsync(Guid batchId, StoredJob? last, CancellationToken cancellationToken) =>
        database.RunAsync(
            async (context, token) =>
            {
                var ended = context.Jobs.AsNoTracking().Where(job => job.BatchId == batchId && job.EndedAt != null);
                if (last is { CreatedAt: var createdAt, JobId: var jobId })
                {
                    var customId = last.CustomId ?? "";
                    ended = ended.Where(job =>
                        job.CreatedAt > createdAt
                        || (
                            job.CreatedAt == createdAt
                            && (
                                (job.CustomId ?? "").CompareTo(customId) > 0
                                || ((job.CustomId ?? "") == customId && job.JobId.CompareTo(jobId) > 0)
                            )
                        )
                    );
                }

                var page = await ended
                    .OrderBy(job => job.CreatedAt)
                    .ThenBy(job => job.CustomId ?? "")
                    .ThenBy(job => job.JobId)
                    .Take(PageSize)
                    .ToListAsync(token);
                return await JobReading.ReadAsync(context, page, token);
            },
            cancellationToken
        );
}
