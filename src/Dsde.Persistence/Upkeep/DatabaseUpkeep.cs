using Dsde.Persistence.Entities;
using Dsde.Persistence.Storage;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Upkeep;

/// <inheritdoc/>
internal sealed class DatabaseUpkeep(Database database, IDialect dialect, ITraceKeeping traces, TimeProvider time) : IDatabaseUpkeep
{
    private const int Group = 1000; // jobs to a transaction: short, so that nobody waits

    /// <inheritdoc/>
    public Task<int> PrepareAsync(CancellationToken cancellationToken) =>
        database.RunInTransactionAsync((context, token) => traces.PrepareAsync(context, time.GetStorableNow(), token), cancellationToken);

    /// <inheritdoc/>
    public Task<Pruned> PruneAsync(PruneKind kind, DateTimeOffset before, bool isDryRun, CancellationToken cancellationToken) =>
        kind switch
        {
            PruneKind.Traces => traces.PruneAsync(database, before, isDryRun, cancellationToken),
            PruneKind.Texts => PruneTextsAsync(before, isDryRun, cancellationToken),
            _ => PruneJobsAsync(before, isDryRun, cancellationToken),
        };

    private async Task<Pruned> PruneTextsAsync(DateTimeOffset before, bool isDryRun, CancellationToken cancellationToken) =>
        isDryRun
            ? new Pruned(await CountAsync(context => WithTexts(context, before), cancellationToken), [])
            : new Pruned(
                await InGroupsAsync(
                    context => WithTexts(context, before),
                    async (context, jobIds, token) =>
                    {
                        await dialect.EraseAsync(context, jobIds, token);
                        await context
                            .Jobs.Where(job => jobIds.Contains(job.JobId))
                            .ExecuteUpdateAsync(set => set.SetProperty(job => job.Request, (string?)null), token);
                    },
                    cancellationToken
                ),
                []
            );

    private async Task<Pruned> PruneJobsAsync(DateTimeOffset before, bool isDryRun, CancellationToken cancellationToken)
    {
        if (isDryRun)
        {
            return new Pruned(await CountAsync(context => Done(context, before), cancellationToken), []);
        }

        var jobs = await InGroupsAsync(
            context => Done(context, before),
            (context, jobIds, token) => context.Jobs.Where(job => jobIds.Contains(job.JobId)).ExecuteDeleteAsync(token),
            cancellationToken
        );
        var batches = await database.RunInTransactionAsync(
            (context, token) =>
                context
                    .Batches.Where(batch => batch.CompletedAt < before && !context.Jobs.Any(job => job.BatchId == batch.BatchId))
                    .ExecuteDeleteAsync(token),
            cancellationToken
        );
        return new Pruned(jobs, batches == 0 ? [] : [$"{batches} batches"]);
    }

    /// <summary>Ended jobs of which there is a text, in the words of an index's filter: those without are not looked at.</summary>
    internal static IQueryable<GenerationJob> WithTexts(DsdeDbContext context, DateTimeOffset before) =>
        context.Jobs.Where(job => job.EndedAt < before && (job.Text != null || job.Request != null));

    /// <summary>Ended jobs that nobody counts on any more.</summary>
    private static IQueryable<GenerationJob> Done(DsdeDbContext context, DateTimeOffset before) =>
        context.Jobs.Where(job =>
            job.EndedAt < before
            && (
                job.BatchId == null
                || !context.Batches.Any(batch =>
                    batch.BatchId == job.BatchId && batch.JobCount != null && (batch.CompletedAt == null || batch.CompletedAt >= before)
                )
            )
        );

    private Task<long> CountAsync(Func<DsdeDbContext, IQueryable<GenerationJob>> find, CancellationToken cancellationToken) =>
        database.RunInTransactionAsync(
            async (context, token) =>
            {
                await dialect.AllowLongQueriesAsync(context, token);
                return await find(context).LongCountAsync(token);
            },
            cancellationToken
        );

    /// <summary>The oldest first. A group begins where the one before ended, not with all that is to stay.</summary>
    private async Task<long> InGroupsAsync(
        Func<DsdeDbContext, IQueryable<GenerationJob>> find,
        Func<DsdeDbContext, IReadOnlyList<Guid>, CancellationToken, Task> work,
        CancellationToken cancellationToken
    )
    {
        DateTimeOffset? last = null;
        for (var total = 0L; ; )
        {
            var begin = last;
            var done = await database.RunInTransactionAsync(
                async (context, token) =>
                {
                    var rest = begin is null ? find(context) : find(context).Where(job => job.EndedAt >= begin);
                    var jobs = await rest.OrderBy(job => job.EndedAt)
                        .Take(Group)
                        .Select(job => new { job.JobId, job.EndedAt })
                        .ToListAsync(token);
                    if (jobs.Count > 0)
                    {
                        await work(context, jobs.ConvertAll(job => job.JobId), token);
                    }

                    return jobs;
                },
                cancellationToken
            );
            total += done.Count;
            if (done.Count < Group)
            {
                return total;
            }

            last = done[^1].EndedAt;
        }
    }
}
