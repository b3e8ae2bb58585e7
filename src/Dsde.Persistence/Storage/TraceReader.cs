using System.Runtime.CompilerServices;
using Dsde.Persistence.Analysis;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <inheritdoc/>
internal sealed class TraceReader(Database database) : ITraceReader
{
    private const int PageSize = 200;

    /// <summary>In pages, each from where the one before ended, so that nothing is held while the caller works on one.</summary>
    public async IAsyncEnumerable<StoredTrace> ReadAsync(TraceFilter filter, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IReadOnlyList<StoredTrace>? page = null;
        do
        {
            var last = page?[^1];
            page = await database.RunAsync((context, token) => ReadPageAsync(context, filter, last, token), cancellationToken);
            foreach (var trace in page)
            {
                yield return trace;
            }
        } while (page.Count == PageSize);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<Guid, string>> ReadCostProfilesAsync(CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyDictionary<Guid, string>>(
            async (context, token) =>
                await context
                    .Workers.AsNoTracking()
                    .Where(worker => worker.CostProfile != null)
                    .Select(worker => new { worker.WorkerStartId, worker.CostProfile })
                    .ToDictionaryAsync(worker => worker.WorkerStartId, worker => worker.CostProfile ?? "", token),
            cancellationToken
        );

    private static async Task<IReadOnlyList<StoredTrace>> ReadPageAsync(
        DsdeDbContext context,
        TraceFilter filter,
        StoredTrace? last,
        CancellationToken cancellationToken
    )
    {
        return await After(Filter(context.Traces.AsNoTracking(), filter), last)
            .LeftJoin(
                context.Jobs,
                trace => EF.Property<Guid>(trace, DsdeDbContext.TraceJobId),
                job => job.JobId,
                (trace, job) => new { Trace = trace, Job = job }
            )
            .OrderBy(row => EF.Property<DateTimeOffset>(row.Trace, DsdeDbContext.TraceStoredAt))
            .ThenBy(row => EF.Property<Guid>(row.Trace, DsdeDbContext.TraceJobId))
            .ThenBy(row => EF.Property<int>(row.Trace, DsdeDbContext.TraceChoice))
            .Take(PageSize)
            .Select(row => new StoredTrace
            {
                JobId = EF.Property<Guid>(row.Trace, DsdeDbContext.TraceJobId),
                Choice = EF.Property<int>(row.Trace, DsdeDbContext.TraceChoice),
                BatchId = EF.Property<Guid?>(row.Trace, DsdeDbContext.TraceBatchId),
                CustomId = row.Job == null ? null : row.Job.CustomId,
                Workload = EF.Property<string?>(row.Trace, DsdeDbContext.TraceWorkload),
                Request = row.Job == null ? null : row.Job.Request,
                FinishReason =
                    EF.Property<int>(row.Trace, DsdeDbContext.TraceChoice) == 0
                        ? (row.Job == null ? null : row.Job.FinishReason)
                        : context
                            .Choices.Where(choice =>
                                choice.JobId == EF.Property<Guid>(row.Trace, DsdeDbContext.TraceJobId)
                                && choice.Choice == EF.Property<int>(row.Trace, DsdeDbContext.TraceChoice)
                            )
                            .Select(choice => choice.FinishReason)
                            .FirstOrDefault(),
                WorkerStartId = EF.Property<Guid?>(row.Trace, DsdeDbContext.TraceWorkerStartId),
                WorkerId = EF.Property<string>(row.Trace, DsdeDbContext.TraceWorkerId),
                StoredAt = EF.Property<DateTimeOffset>(row.Trace, DsdeDbContext.TraceStoredAt),
                Trace = row.Trace,
            })
            .ToListAsync(cancellationToken);
    }

    private static IQueryable<JobTrace> Filter(IQueryable<JobTrace> traces, TraceFilter filter)
    {
        var completed = DsdeDbContext.ToText(JobState.Completed);
        traces = traces.Where(trace => EF.Property<string>(trace, DsdeDbContext.TraceState) == completed);
        traces = filter.BatchId is { } batch
            ? traces.Where(trace => EF.Property<Guid?>(trace, DsdeDbContext.TraceBatchId) == batch)
            : traces;
        traces = filter.Workload is { } workload
            ? traces.Where(trace => EF.Property<string?>(trace, DsdeDbContext.TraceWorkload) == workload)
            : traces;
        traces = filter.Policy is { } policy ? traces.Where(trace => trace.Policy == policy) : traces;
        traces = filter.TargetModel is { } model ? traces.Where(trace => trace.TargetModel == model) : traces;
        traces = filter.From is { } from
            ? traces.Where(trace => EF.Property<DateTimeOffset>(trace, DsdeDbContext.TraceStoredAt) >= from)
            : traces;
        return filter.To is { } to ? traces.Where(trace => EF.Property<DateTimeOffset>(trace, DsdeDbContext.TraceStoredAt) < to) : traces;
    }

    private static IQueryable<JobTrace> After(IQueryable<JobTrace> traces, StoredTrace? last)
    {
        if (last is null)
        {
            return traces;
        }

        var (storedAt, jobId, choice) = (last.StoredAt, last.JobId, last.Choice);
        return traces.Where(trace =>
            EF.Property<DateTimeOffset>(trace, DsdeDbContext.TraceStoredAt) > storedAt
            || (
                EF.Property<DateTimeOffset>(trace, DsdeDbContext.TraceStoredAt) == storedAt
                && (
                    EF.Property<Guid>(trace, DsdeDbContext.TraceJobId).CompareTo(jobId) > 0
                    || (
                        EF.Property<Guid>(trace, DsdeDbContext.TraceJobId) == jobId
                        && EF.Property<int>(trace, DsdeDbContext.TraceChoice) > choice
                    )
                )
            )
        );
    }
}
