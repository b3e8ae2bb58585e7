using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>
/// Stores ends with all that belongs to them in one transaction: outputs, traces, the batches' counts; checkpoints have done their duty.
/// </summary>
internal sealed class Ending(IDialect dialect, TimeProvider time)
{
    /// <summary>Stores a group of ends within the context's transaction; null for those whose claim was lost.</summary>
    public async Task<IReadOnlyList<StoredEnd?>> StoreAsync(
        DsdeDbContext context,
        IReadOnlyList<JobEnd> ends,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetStorableNow();
        var ended = await dialect.EndJobsAsync(context, ends, now, cancellationToken);
        var results = new StoredEnd?[ends.Count];
        foreach (var position in Enumerable.Range(0, ended.Count < ends.Count ? ends.Count : 0).Except(ended.Keys))
        {
            results[position] = await FindEarlierAsync(context, ends[position], cancellationToken);
        }

        foreach (var position in ended.Keys)
        {
            results[position] = new StoredEnd(now, CompletedBatch: null);
        }

        await AddOutputsAsync(context, ended.Select(pair => (ends[pair.Key], pair.Value)), now, cancellationToken);
        foreach (var completed in await CountAsync(context, ends, ended, now, cancellationToken))
        {
            results[ended.Last(pair => pair.Value.BatchId == completed.BatchId).Key] = new StoredEnd(now, completed);
        }

        return results;
    }

    private async Task AddOutputsAsync(
        DsdeDbContext context,
        IEnumerable<(JobEnd End, EndedJob Job)> ends,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var (traces, choices) = (new List<NewTrace>(), new List<JobChoice>());
        foreach (var (end, job) in ends)
        {
            traces.AddRange(
                end.Traces.Select((trace, choice) => new NewTrace(end.Lease, choice, trace, job, JobMapping.StateOf(end)))
                    .Where(added => added.Trace.CompletionTokens > 0)
            );
            choices.AddRange(JobMapping.ToChoices(end));
        }

        if (choices.Count > 0)
        {
            context.Choices.AddRange(choices);
            await context.SaveChangesAsync(cancellationToken);
        }

        if (traces.Count > 0)
        {
            await dialect.AddTracesAsync(context, traces, now, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<BatchProgress>> CountAsync(
        DsdeDbContext context,
        IReadOnlyList<JobEnd> ends,
        Dictionary<int, EndedJob> ended,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var counts = new SortedDictionary<Guid, BatchEnds>();
        foreach (var (position, job) in ended)
        {
            if (job.BatchId is { } id)
            {
                var before = counts.GetValueOrDefault(id, new BatchEnds(id, 0, 0, 0));
                counts[id] = JobMapping.StateOf(ends[position]) switch
                {
                    JobState.Completed => before with { Completed = before.Completed + 1 },
                    JobState.Failed => before with { Failed = before.Failed + 1 },
                    _ => before with { Cancelled = before.Cancelled + 1 },
                };
            }
        }

        return counts.Count == 0 ? [] : await dialect.CountEndsAsync(context, [.. counts.Values], now, cancellationToken);
    }

    /// <summary>
    /// The end of a claim that has one already, because its commit was not answered; null if it is another one, or of another claim. Who
    /// stored the last end of a batch then has not told yet.
    /// </summary>
    private static async Task<StoredEnd?> FindEarlierAsync(DsdeDbContext context, JobEnd end, CancellationToken cancellationToken)
    {
        var (jobId, token, state) = (end.Lease.JobId, end.Lease.Token, JobMapping.StateOf(end));
        if (
            await context
                .Jobs.Where(job => job.JobId == jobId && job.LeaseToken == token && job.State == state)
                .Select(job => new { job.EndedAt, job.BatchId })
                .SingleOrDefaultAsync(cancellationToken)
            is not { EndedAt: { } endedAt, BatchId: var batchId }
        )
        {
            return null;
        }

        var batch = batchId is { } id ? await BatchRegister.FindAsync(context, id, cancellationToken) : null;
        return new StoredEnd(endedAt, batch is { IsComplete: true, IsAnnounced: false } ? batch : null);
    }
}
