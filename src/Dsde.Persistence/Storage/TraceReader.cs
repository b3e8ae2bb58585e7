using System.Globalization;
using System.Runtime.CompilerServices;
using Dsde.Persistence.Analysis;
using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <inheritdoc/>
internal sealed class TraceReader(Database database) : IReportReader
{
    private const int PageSize = 200;
    private const int SummaryPageSize = 5000;
    private const int IdLength = 36;

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
    public async IAsyncEnumerable<StoredSummary> ReadSummariesAsync(
        TraceFilter filter,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        StoredSummary? last = null;
        IReadOnlyList<StoredSummary> page;
        do
        {
            var after = last is null ? filter.After : new TracePlace(last.StoredAt, last.JobId, last.Choice);
            page = await database.RunAsync((context, token) => ReadSummariesAsync(context, filter, after, token), cancellationToken);
            foreach (var summary in page)
            {
                yield return last = summary;
            }
        } while (page.Count == SummaryPageSize);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<JobSummary> ReadEndedJobsAsync(
        TraceFilter filter,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var after = filter.After;
        IReadOnlyList<JobSummary> page;
        do
        {
            var place = after;
            page = await database.RunAsync((context, token) => ReadEndedJobsAsync(context, filter, place, token), cancellationToken);
            foreach (var job in page)
            {
                yield return job;
                after = new TracePlace(job.EndedAt, job.JobId, 0);
            }
        } while (page.Count == SummaryPageSize);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredTrace>> ReadOfJobsAsync(IReadOnlyCollection<Guid> jobs, CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<StoredTrace>>(
            async (context, token) =>
                await WithJobs(
                        context,
                        context.Traces.AsNoTracking().Where(trace => jobs.Contains(EF.Property<Guid>(trace, DsdeDbContext.TraceJobId))),
                        int.MaxValue
                    )
                    .ToListAsync(token),
            cancellationToken
        );

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<(Guid JobId, int Choice), string>> ReadTextsAsync(
        IReadOnlyCollection<Guid> jobs,
        CancellationToken cancellationToken
    ) =>
        database.RunAsync<IReadOnlyDictionary<(Guid, int), string>>(
            async (context, token) =>
            {
                var firsts = await context
                    .Jobs.AsNoTracking()
                    .Where(job => jobs.Contains(job.JobId) && job.Text != null)
                    .Select(job => new
                    {
                        job.JobId,
                        Choice = 0,
                        job.Text,
                    })
                    .ToListAsync(token);
                var others = await context
                    .Choices.AsNoTracking()
                    .Where(choice => jobs.Contains(choice.JobId) && choice.Text != null)
                    .Select(choice => new
                    {
                        choice.JobId,
                        choice.Choice,
                        choice.Text,
                    })
                    .ToListAsync(token);
                return firsts.Concat(others).ToDictionary(row => (row.JobId, row.Choice), row => row.Text ?? "");
            },
            cancellationToken
        );

    /// <inheritdoc/>
    public Task<JobCounts> CountAsync(TraceFilter filter, CancellationToken cancellationToken) =>
        database.RunAsync(
            async (context, token) =>
            {
                var outputs = await Filter(context.Traces.AsNoTracking(), filter).LongCountAsync(token);
                var jobs = Filter(context.Jobs.AsNoTracking(), filter);
                jobs =
                    filter.Policy is not null || filter.TargetModel is not null
                        ? jobs.Where(job =>
                            Filter(context.Traces, filter).Any(trace => EF.Property<Guid>(trace, DsdeDbContext.TraceJobId) == job.JobId)
                        )
                        : jobs;
                var states = await jobs.GroupBy(job => job.State)
                    .Select(group => new { State = group.Key, Count = group.LongCount() })
                    .ToListAsync(token);
                var codes = await jobs.Where(job => job.FailureCode != null)
                    .GroupBy(job => job.FailureCode)
                    .Select(group => new { Code = group.Key, Count = group.LongCount() })
                    .ToListAsync(token);
                return new JobCounts(
                    states.ToDictionary(row => DsdeDbContext.ToText(row.State), row => row.Count),
                    codes.ToDictionary(row => row.Code ?? "", row => row.Count),
                    outputs
                );
            },
            cancellationToken
        );

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
    ) =>
        await WithJobs(
                context,
                After(
                    Filter(context.Traces.AsNoTracking(), filter),
                    last is null ? filter.After : new TracePlace(last.StoredAt, last.JobId, last.Choice)
                ),
                PageSize
            )
            .ToListAsync(cancellationToken);

    private static IQueryable<StoredTrace> WithJobs(DsdeDbContext context, IQueryable<JobTrace> traces, int most) =>
        traces
            .LeftJoin(
                context.Jobs,
                trace => EF.Property<Guid>(trace, DsdeDbContext.TraceJobId),
                job => job.JobId,
                (trace, job) => new { Trace = trace, Job = job }
            )
            .OrderBy(row => EF.Property<DateTimeOffset>(row.Trace, DsdeDbContext.TraceStoredAt))
            .ThenBy(row => EF.Property<Guid>(row.Trace, DsdeDbContext.TraceJobId))
            .ThenBy(row => EF.Property<int>(row.Trace, DsdeDbContext.TraceChoice))
            .Take(most)
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
            });

    private static async Task<IReadOnlyList<JobSummary>> ReadEndedJobsAsync(
        DsdeDbContext context,
        TraceFilter filter,
        TracePlace? after,
        CancellationToken cancellationToken
    )
    {
        var jobs = Filter(context.Jobs.AsNoTracking(), filter).Where(job => job.EndedAt != null);
        if (after is { } place)
        {
            var (at, id) = (place.StoredAt, place.JobId);
            // The first condition says nothing new, but where the index is to begin.
            jobs = jobs.Where(job => job.EndedAt >= at && (job.EndedAt > at || (job.EndedAt == at && job.JobId.CompareTo(id) > 0)));
        }

        return await jobs.OrderBy(job => job.EndedAt)
            .ThenBy(job => job.JobId)
            .Take(SummaryPageSize)
            .Select(job => new JobSummary
            {
                JobId = job.JobId,
                BatchId = job.BatchId,
                CustomId = job.CustomId,
                Model = job.Model,
                Workload = job.Workload,
                State = DsdeDbContext.ToText(job.State),
                WorkerId = job.WorkerId,
                Attempt = job.Attempt,
                SubmittedAt = job.SubmittedAt,
                CreatedAt = job.CreatedAt,
                StartedAt = job.StartedAt,
                EndedAt = job.EndedAt ?? default,
                FinishReason = job.FinishReason,
                PromptTokens = job.PromptTokens,
                CompletionTokens = job.CompletionTokens,
                FailureCode = job.FailureCode,
                CancelReason = job.CancelReason,
            })
            .ToListAsync(cancellationToken);
    }

    private static IQueryable<GenerationJob> Filter(IQueryable<GenerationJob> jobs, TraceFilter filter)
    {
        jobs = filter.BatchId is { } batch ? jobs.Where(job => job.BatchId == batch) : jobs;
        jobs = filter.Workload is { } workload ? jobs.Where(job => job.Workload == workload) : jobs;
        jobs = filter.From is { } from ? jobs.Where(job => job.EndedAt == null || job.EndedAt >= from) : jobs;
        return filter.To is { } to ? jobs.Where(job => job.EndedAt == null || job.EndedAt < to) : jobs;
    }

    private static async Task<IReadOnlyList<StoredSummary>> ReadSummariesAsync(
        DsdeDbContext context,
        TraceFilter filter,
        TracePlace? after,
        CancellationToken cancellationToken
    ) =>
        await After(Filter(context.Traces.AsNoTracking(), filter), after)
            .LeftJoin(
                context.Jobs,
                trace => EF.Property<Guid>(trace, DsdeDbContext.TraceJobId),
                job => job.JobId,
                (trace, job) => new { Trace = trace, Job = job }
            )
            .OrderBy(row => EF.Property<DateTimeOffset>(row.Trace, DsdeDbContext.TraceStoredAt))
            .ThenBy(row => EF.Property<Guid>(row.Trace, DsdeDbContext.TraceJobId))
            .ThenBy(row => EF.Property<int>(row.Trace, DsdeDbContext.TraceChoice))
            .Take(SummaryPageSize)
            .Select(row => new StoredSummary
            {
                JobId = EF.Property<Guid>(row.Trace, DsdeDbContext.TraceJobId),
                Choice = EF.Property<int>(row.Trace, DsdeDbContext.TraceChoice),
                CustomId = row.Job == null ? null : row.Job.CustomId,
                Workload = EF.Property<string?>(row.Trace, DsdeDbContext.TraceWorkload),
                WorkerId = EF.Property<string>(row.Trace, DsdeDbContext.TraceWorkerId),
                SubmittedAt = row.Job == null ? null : row.Job.SubmittedAt,
                CreatedAt = row.Job == null ? null : row.Job.CreatedAt,
                StoredAt = EF.Property<DateTimeOffset>(row.Trace, DsdeDbContext.TraceStoredAt),
                Trace = new TraceSummary
                {
                    Level = row.Trace.Level,
                    Policy = row.Trace.Policy,
                    IsGuarded = row.Trace.IsGuarded,
                    Proposer = row.Trace.Proposer,
                    SamplingMode = row.Trace.SamplingMode,
                    Seed = row.Trace.Seed,
                    Temperature = row.Trace.Temperature,
                    TopP = row.Trace.TopP,
                    TopK = row.Trace.TopK,
                    TargetModel = row.Trace.TargetModel,
                    DraftModel = row.Trace.DraftModel,
                    Iterations = row.Trace.Iterations,
                    SpeculatingIterations = row.Trace.SpeculatingIterations,
                    PromptTokens = row.Trace.PromptTokens,
                    CachedPromptTokens = row.Trace.CachedPromptTokens,
                    CompletionTokens = row.Trace.CompletionTokens,
                    Proposed = row.Trace.Proposed,
                    Accepted = row.Trace.Accepted,
                    LookupProposed = row.Trace.LookupProposed,
                    LookupAccepted = row.Trace.LookupAccepted,
                    Forced = row.Trace.Forced,
                    MeanKld = row.Trace.MeanKld,
                    MaxKld = row.Trace.MaxKld,
                    VarianceKld = row.Trace.VarianceKld,
                    MeanBeta = row.Trace.MeanBeta,
                    MeanDraftEntropy = row.Trace.MeanDraftEntropy,
                    CalibrationMaxAccepted = row.Trace.CalibrationMaxAccepted,
                    CalibrationMaxLength = row.Trace.CalibrationMaxLength,
                    WaitingMs = row.Trace.WaitingMs,
                    PrefillMs = row.Trace.PrefillMs,
                    OthersMs = row.Trace.OthersMs,
                    DraftMs = row.Trace.DraftMs,
                    VerifyMs = row.Trace.VerifyMs,
                    SamplingMs = row.Trace.SamplingMs,
                    RestMs = row.Trace.RestMs,
                    TotalMs = row.Trace.TotalMs,
                    FirstTokenMs = row.Trace.FirstTokenMs,
                    PrefillShareMs = row.Trace.PrefillShareMs,
                    DraftShareMs = row.Trace.DraftShareMs,
                    VerifyShareMs = row.Trace.VerifyShareMs,
                    SamplingShareMs = row.Trace.SamplingShareMs,
                },
            })
            .ToListAsync(cancellationToken);

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
        if (filter.Sample < TraceFilter.SampleOf)
        {
            var end = filter.Sample.ToString("x2", CultureInfo.InvariantCulture);
            traces = traces.Where(trace =>
                string.Compare(EF.Property<Guid>(trace, DsdeDbContext.TraceJobId).ToString().Substring(IdLength - 2).ToLower(), end) < 0
            );
        }

        traces = filter.TargetModel is { } model ? traces.Where(trace => trace.TargetModel == model) : traces;
        traces = filter.From is { } from
            ? traces.Where(trace => EF.Property<DateTimeOffset>(trace, DsdeDbContext.TraceStoredAt) >= from)
            : traces;
        return filter.To is { } to ? traces.Where(trace => EF.Property<DateTimeOffset>(trace, DsdeDbContext.TraceStoredAt) < to) : traces;
    }

    private static IQueryable<JobTrace> After(IQueryable<JobTrace> traces, TracePlace? last)
    {
        if (last is not { } place)
        {
            return traces;
        }

        // The first condition says nothing new, but where the index is to begin.
        var (storedAt, jobId, choice) = place;
        return traces
            .Where(trace => EF.Property<DateTimeOffset>(trace, DsdeDbContext.TraceStoredAt) >= storedAt)
            .Where(trace =>
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
