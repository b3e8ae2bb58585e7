using System.Runtime.CompilerServices;
using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>What is asked of the database by those that only want to know.</summary>
internal sealed class JobQueries(Database database, IDialect dialect)
{
    // Of rows that may have megabytes each: log-probabilities of thousands of tokens, with twenty alternatives, times the outputs. A page
    // costs the same however late it comes, so that larger ones would save little.
    private const int PageSize = 100;

    private const int NamePageSize = 10_000;

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

    /// <summary>In pages as well.</summary>
    public async IAsyncEnumerable<NamedJob> ReadNamesAsync(Guid batchId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IReadOnlyList<(NamedJob Job, DateTimeOffset CreatedAt)>? page = null;
        do
        {
            page = await ReadNamePageAsync(batchId, page?[^1], cancellationToken);
            foreach (var (job, _) in page)
            {
                yield return job;
            }
        } while (page.Count == NamePageSize);
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
                        BatchRegister.ToProgress(batch.Row, batch.Running),
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
                var now = await dialect.ReadClockAsync(context, token);
                var oldest = now - seenWithin;
                var workers = await context
                    .Workers.AsNoTracking()
                    .Where(worker => worker.EndedAt == null && worker.SeenAt >= oldest)
                    .OrderBy(worker => worker.WorkerId)
                    .ToListAsync(token);
                return [.. workers.Select(worker => ToWorker(worker, now))];
            },
            cancellationToken
        );

    /// <summary>Aliases of models that workers serve or have served.</summary>
    public Task<IReadOnlyList<string>> FindModelsAsync(CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<string>>(
            async (context, token) =>
            {
                var lists = await context.Workers.AsNoTracking().Select(worker => worker.Models).Distinct().ToListAsync(token);
                return [.. lists.SelectMany(models => models).Distinct().Order(StringComparer.Ordinal)];
            },
            cancellationToken
        );

    private static LivingWorker ToWorker(WorkerRow row, DateTimeOffset now) =>
        new(
            row.WorkerId,
            Since(row.StartedAt, now),
            Since(row.SeenAt, now),
            row.Host,
            row.Version,
            row.Models,
            row.BatchSize,
            row.HeldJobs,
            row.WaitingForClaim
        );

    /// <summary>What happened after the clock was read has only just happened.</summary>
    private static TimeSpan Since(DateTimeOffset then, DateTimeOffset now) => then < now ? now - then : TimeSpan.Zero;

    private Task<IReadOnlyList<StoredJob>> ReadPageAsync(Guid batchId, StoredJob? last, CancellationToken cancellationToken) =>
        database.RunAsync(
            async (context, token) =>
            {
                var ended = context.Jobs.AsNoTracking().Where(job => job.BatchId == batchId && job.EndedAt != null);
                var page = await After(ended, last is null ? null : (last.CreatedAt, last.CustomId, last.JobId))
                    .Take(PageSize)
                    .ToListAsync(token);
                return await JobReading.ReadAsync(context, page, token);
            },
            cancellationToken
        );

    private Task<IReadOnlyList<(NamedJob Job, DateTimeOffset CreatedAt)>> ReadNamePageAsync(
        Guid batchId,
        (NamedJob Job, DateTimeOffset CreatedAt)? last,
        CancellationToken cancellationToken
    ) =>
        database.RunAsync<IReadOnlyList<(NamedJob Job, DateTimeOffset CreatedAt)>>(
            async (context, token) =>
            {
                var jobs = context.Jobs.Where(job => job.BatchId == batchId);
                var page = await After(jobs, last is var (job, createdAt) ? (createdAt, job.CustomId, job.JobId) : null)
                    .Take(NamePageSize)
                    .Select(job => new
                    {
                        job.JobId,
                        job.CustomId,
                        job.State,
                        job.CreatedAt,
                    })
                    .ToListAsync(token);
                return [.. page.Select(job => (new NamedJob(job.JobId, job.CustomId, job.State), job.CreatedAt))];
            },
            cancellationToken
        );

    /// <summary>
    /// In the order in which workers first saw the jobs, then by name; those that come after one. The index has a batch's jobs by time, and
    /// few share a moment: the first condition, which the others contain, tells the database where in it to begin.
    /// </summary>
    public static IQueryable<GenerationJob> After(
        IQueryable<GenerationJob> jobs,
        (DateTimeOffset CreatedAt, string? CustomId, Guid JobId)? last
    )
    {
        if (last is var (createdAt, name, jobId))
        {
            var customId = name ?? "";
            jobs = jobs.Where(job =>
                job.CreatedAt >= createdAt
                && (
                    job.CreatedAt > createdAt
                    || (job.CustomId ?? "").CompareTo(customId) > 0
                    || ((job.CustomId ?? "") == customId && job.JobId.CompareTo(jobId) > 0)
                )
            );
        }

        return jobs.OrderBy(job => job.CreatedAt).ThenBy(job => job.CustomId ?? "").ThenBy(job => job.JobId);
    }
}
