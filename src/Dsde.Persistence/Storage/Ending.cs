using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>Stores ends with all that belongs to them in one transaction: outputs, traces, the batch's counts; checkpoints have done their duty.</summary>
internal sealed class Ending(IRows rows, Batches batches, TimeProvider time)
{
    /// <summary>An end, and whether it may have been stored before, without anybody knowing whether the commit arrived.</summary>
    internal sealed class Attempt(JobEnd end)
    {
        public JobEnd End => end;

        public bool IsRepeated { get; set; }
    }

    /// <summary>Stores a group of ends within the context's transaction; null for those whose claim was lost.</summary>
    public async Task<IReadOnlyList<StoredEnd?>> StoreAsync(DsdeDbContext context, IReadOnlyList<Attempt> attempts, CancellationToken cancellationToken)
    {
        var now = time.GetStorableNow();
        var jobs = await rows.LockJobsAsync(context, [.. attempts.Select(attempt => attempt.End.Lease.JobId).Distinct()], cancellationToken);
        var (ended, earlier) = (new Dictionary<Attempt, GenerationJob>(), new Dictionary<Attempt, StoredEnd>());
        foreach (var attempt in attempts)
        {
            if (jobs.GetValueOrDefault(attempt.End.Lease.JobId) is not { } job || job.LeaseToken != attempt.End.Lease.Token)
            {
                continue;
            }

            if (job.State == JobState.Running)
            {
                JobMapping.SetEnd(job, attempt.End, now);
                ended.Add(attempt, job);
            }
            else if (attempt.IsRepeated && job.EndedAt is { } endedAt)
            {
                earlier.Add(attempt, new StoredEnd(endedAt, await FindUnannouncedAsync(context, job.BatchId, cancellationToken)));
            }
        }

        await AddBelongingsAsync(context, [.. ended.Keys.Select(attempt => attempt.End)], now, cancellationToken);
        var completed = await batches.CountAsync(
            context, ended.Values.Where(job => job.BatchId is not null).ToLookup(job => job.BatchId.GetValueOrDefault(), job => job.State), now, cancellationToken);
        var completing = ended.Where(pair => completed.ContainsKey(pair.Value.BatchId.GetValueOrDefault())).GroupBy(pair => pair.Value.BatchId)
            .ToDictionary(group => group.Last().Key, group => completed[group.Key.GetValueOrDefault()]);
        return [.. attempts.Select(attempt => ended.ContainsKey(attempt) ? new StoredEnd(now, completing.GetValueOrDefault(attempt)) : earlier.GetValueOrDefault(attempt))];
    }

    private async Task AddBelongingsAsync(DsdeDbContext context, IReadOnlyList<JobEnd> ends, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (ends.Count == 0)
        {
            return;
        }

        var ids = ends.Select(end => end.Lease.JobId).ToList();
        await context.Checkpoints.Where(row => ids.Contains(row.JobId)).ExecuteDeleteAsync(cancellationToken);
        context.Choices.AddRange(ends.SelectMany(JobMapping.ToChoices));
        await context.SaveChangesAsync(cancellationToken);
        JobTraceRow[] traces = [.. ends.SelectMany(end => end.Traces.Select((trace, choice) => TraceMapping.ToRow(end.Lease, choice, trace, now))).Where(trace => trace.CompletionTokens > 0)];
        if (traces.Length > 0)
        {
            await rows.AddTracesAsync(context, traces, cancellationToken);
        }
    }

    private static async Task<BatchProgress?> FindUnannouncedAsync(DsdeDbContext context, Guid? batchId, CancellationToken cancellationToken) =>
        batchId is { } id && await Batches.FindAsync(context, id, cancellationToken) is { IsComplete: true, IsAnnounced: false } batch ? batch : null;
}
