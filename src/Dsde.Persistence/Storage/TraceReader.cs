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

    private static async Task<IReadOnlyList<StoredTrace>> ReadPageAsync(
        DsdeDbContext context,
        TraceFilter filter,
        StoredTrace? last,
        CancellationToken cancellationToken
    )
    {
        var jobs = context.Jobs.Where(job => job.State == JobState.Completed);
        jobs = filter.BatchId is { } batch ? jobs.Where(job => job.BatchId == batch) : jobs;
        jobs = filter.Workload is { } workload ? jobs.Where(job => job.Workload == workload) : jobs;
        return await After(Filter(context.Traces.AsNoTracking(), filter), last)
            .Join(
                jobs,
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
                JobId = row.Job.JobId,
                Choice = EF.Property<int>(row.Trace, DsdeDbContext.TraceChoice),
                BatchId = row.Job.BatchId,
                CustomId = row.Job.CustomId,
                Workload = row.Job.Workload,
                Request = row.Job.Request,
                FinishReason =
                    EF.Property<int>(row.Trace, DsdeDbContext.TraceChoice) == 0
                        ? row.Job.FinishReason
                        : context
                            .Choices.Where(choice =>
                                choice.JobId == row.Job.JobId && choice.Choice == EF.Property<int>(row.Trace, DsdeDbContext.TraceChoice)
                            )
                            .Select(choice => choice.FinishReason)
                            .FirstOrDefault(),
                WorkerId = EF.Property<string>(row.Trace, DsdeDbContext.TraceWorkerId),
                StoredAt = EF.Property<DateTimeOffset>(row.Trace, DsdeDbContext.TraceStoredAt),
                Trace = row.Trace,
            })
            .ToListAsync(cancellationToken);
    }

    private static IQueryable<JobTrace> Filter(IQueryable<JobTrace> traces, TraceFilter filter)
    {
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
