using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>
/// Stores ends with all that belongs to them in one transaction: outputs, traces, the batches' counts; checkpoints have done their duty.
/// </summary>
internal sealed class Ending(IRows rows, TimeProvider time)
{
    /// <summary>An end, and whether it may have been stored before, without anybody knowing whether the commit arrived.</summary>
    internal sealed class Attempt(JobEnd end, bool isRepeated)
    {
        public JobEnd End => end;

        public bool IsRepeated { get; set; } = isRepeated;
    }

    /// <summary>Stores a group of ends within the context's transaction; null for those whose claim was lost.</summary>
    public async Task<IReadOnlyList<StoredEnd?>> StoreAsync(
        DsdeDbContext context,
        IReadOnlyList<Attempt> attempts,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetStorableNow();
        var batches = await rows.EndJobsAsync(context, [.. attempts.Select(attempt => attempt.End)], now, cancellationToken);
        var results = new StoredEnd?[attempts.Count];
        if (batches.Count < attempts.Count)
        {
            await FindEarlierAsync(context, attempts, results, cancellationToken);
        }

        foreach (var position in batches.Keys)
        {
            results[position] = new StoredEnd(now, CompletedBatch: null);
        }

        await AddOutputsAsync(context, batches.Keys.Select(position => attempts[position].End), now, cancellationToken);
        foreach (var completed in await CountAsync(context, attempts, batches, now, cancellationToken))
        {
            results[batches.Last(pair => pair.Value == completed.BatchId).Key] = new StoredEnd(now, completed);
        }

        return results;
    }

    private async Task AddOutputsAsync(
        DsdeDbContext context,
        IEnumerable<JobEnd> ends,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var (traces, choices) = (new List<JobTraceRow>(), new List<JobChoice>());
        foreach (var end in ends)
        {
            traces.AddRange(
                end.Traces.Select((trace, choice) => TraceMapping.ToRow(end.Lease, choice, trace, now))
                    .Where(trace => trace.CompletionTokens > 0)
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
            await rows.AddTracesAsync(context, traces, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<BatchProgress>> CountAsync(
        DsdeDbContext context,
        IReadOnlyList<Attempt> attempts,
        Dictionary<int, Guid?> batches,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var counts = new SortedDictionary<Guid, BatchEnds>();
        foreach (var (position, batch) in batches)
        {
            if (batch is { } id)
            {
                var before = counts.GetValueOrDefault(id, new BatchEnds(id, 0, 0, 0));
                counts[id] = JobMapping.StateOf(attempts[position].End) switch
                {
                    JobState.Completed => before with { Completed = before.Completed + 1 },
                    JobState.Failed => before with { Failed = before.Failed + 1 },
                    _ => before with { Cancelled = before.Cancelled + 1 },
                };
            }
        }

        return counts.Count == 0 ? [] : await rows.CountEndsAsync(context, [.. counts.Values], now, cancellationToken);
    }

    /// <summary>Of ends that were stored without an answer; whoever stored the last of a batch then has not told yet.</summary>
    private static async Task FindEarlierAsync(
        DsdeDbContext context,
        IReadOnlyList<Attempt> attempts,
        StoredEnd?[] results,
        CancellationToken cancellationToken
    )
    {
        for (var i = 0; i < attempts.Count; i++)
        {
            var lease = attempts[i].End.Lease;
            if (
                attempts[i].IsRepeated
                && await context
                    .Jobs.AsNoTracking()
                    .FirstOrDefaultAsync(
                        job => job.JobId == lease.JobId && job.LeaseToken == lease.Token && job.EndedAt != null,
                        cancellationToken
                    )
                    is { EndedAt: { } endedAt } job
            )
            {
                var batch = job.BatchId is { } id ? await Batches.FindAsync(context, id, cancellationToken) : null;
                results[i] = new StoredEnd(endedAt, batch is { IsComplete: true, IsAnnounced: false } ? batch : null);
            }
        }
    }
}
