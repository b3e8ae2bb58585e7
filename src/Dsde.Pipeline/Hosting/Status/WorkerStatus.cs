using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Dsde.Engine;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Dsde.Pipeline.Hosting.Status;

/// <summary>What the status page says of a worker, from the first second of its process to the last.</summary>
/// <param name="health">Whether it is well.</param>
/// <param name="options">What it serves.</param>
/// <param name="time">The clock.</param>
[SuppressMessage("Reliability", "CA1001", Justification = "Nobody asks the semaphore for a wait handle, so that there is nothing to free.")]
internal sealed class WorkerStatus(WorkerHealth health, WorkerOptions options, TimeProvider time)
{
    /// <summary>Jobs that a report has at most: more than anybody reads, and with many outputs each a page would never be done.</summary>
    public const int MostJobs = 100;

    private const int MostOutputs = 16; // of a job

    // Looking costs statements of the database.
    private static readonly TimeSpan HealthFreshness = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan HealthPatience = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _looking = new(1);
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private readonly string _version =
        typeof(WorkerStatus).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    private volatile Sources? _sources;
    private (long At, HealthReport Report)? _checked;

    /// <summary>Whether it is well.</summary>
    public WorkerHealth Health => health;

    /// <summary>It is set up; what it does can be seen from now on.</summary>
    /// <param name="services">Those of the worker.</param>
    public void Speak(IServiceProvider services) =>
        _sources = new Sources(
            services.GetRequiredService<IGenerationEngine>(),
            services.GetRequiredService<HeldJobs>(),
            services.GetRequiredService<EndedJobs>(),
            services.GetRequiredService<QueueDepths>(),
            services.GetRequiredService<IWaitingPlace>(),
            services.GetRequiredService<WorkerIdentity>(),
            services.GetRequiredService<IHostApplicationLifetime>()
        );

    /// <summary>It is about to be taken down.</summary>
    public void BeSilent() => _sources = null;

    /// <summary>The engine's counters; null as long as there is none.</summary>
    public StatusSample? Sample() =>
        _sources is { } sources ? StatusSample.Of(sources.Engine.GetSnapshot(), sources.Queues.LatestTotal, time.GetUtcNow()) : null;

    /// <summary>All there is to say now.</summary>
    public async Task<StatusReport> ReportAsync(CancellationToken cancellationToken)
    {
        var sources = _sources;
        var found = await LookAsync(cancellationToken);
        var queues = sources is null ? null : await sources.Queues.ReadAsync(cancellationToken);
        var report = new StatusReport
        {
            Worker = Describe(sources),
            IsReady = found.Status != HealthStatus.Unhealthy,
            IsStopping = sources?.Lifetime.ApplicationStopping.IsCancellationRequested ?? false,
            Checks =
            [
                .. found
                    .Entries.OrderBy(entry => entry.Key, StringComparer.Ordinal)
                    .Select(entry => new StatusCheck(entry.Key, $"{entry.Value.Status}", entry.Value.Description)),
            ],
            Now = Sample(),
        };
        return sources is null ? report : Add(report, sources, queues);
    }

    private static StatusReport Add(StatusReport report, Sources sources, IReadOnlyList<QueueDepths.Depth>? queues)
    {
        var snapshot = sources.Engine.GetSnapshot();
        var held = sources.Held.All;
        return report with
        {
            Limit = snapshot.BatchLimit > 0 ? snapshot.BatchLimit : sources.Engine.Description.BatchSize,
            KvBlocks = snapshot.KvBlocks,
            Suspensions = snapshot.Suspensions,
            OutOfMemory = snapshot.OutOfMemory,
            IsSpeculating = snapshot.IsSpeculating,
            Queues = queues?.Select(queue => new StatusQueue(queue.Queue, queue.Ready)).ToList(),
            HeldElsewhere = sources.WaitingPlace.WaitingCount,
            JobCount = held.Count,
            Jobs = [.. held.Take(MostJobs).Select(Describe)],
            Completed = sources.Ended.Count(JobState.Completed),
            Failed = sources.Ended.Count(JobState.Failed),
            Cancelled = sources.Ended.Count(JobState.Cancelled),
            Ends = [.. sources.Ended.Latest.Select(Describe)],
        };
    }

    private StatusWorker Describe(Sources? sources)
    {
        var worker = new StatusWorker
        {
            StartedAt = _startedAt,
            Version = _version,
            Models = options.Models,
        };
        if (sources is null)
        {
            return worker;
        }

        var loaded = sources.Engine.Description;
        return worker with
        {
            Id = sources.Identity.WorkerId,
            Target = loaded.Target,
            Draft = loaded.Draft,
            Policy = loaded.DefaultPolicy,
            Proposer = $"{loaded.DefaultProposer}".ToLowerInvariant(),
            Device = loaded.Device,
            DataType = loaded.DataType,
            Threads = loaded.Threads,
        };
    }

    private static StatusJob Describe(HeldJob job)
    {
        var outputs = job.Progress;
        return new StatusJob(
            job.Lease.JobId,
            job.Since,
            job.IsCancelRequested,
            outputs.Count,
            [.. outputs.Take(MostOutputs).Select(Describe)]
        );
    }

    private static StatusOutput Describe(GenerationProgress output) =>
        new(
            $"{output.Phase}".ToLowerInvariant(),
            output.PromptTokens,
            output.Tokens,
            output.MostTokens,
            output.Proposed,
            output.Accepted,
            output.SpeculationLength
        );

    private static StatusEnd Describe(EndedJobs.Ended end) =>
        new(end.JobId, $"{end.State}".ToLowerInvariant(), end.FailureCode, end.At, end.Tokens, end.Proposed, end.Accepted, end.EngineMs);

    /// <summary>Health as it was some seconds ago at most, however many ask.</summary>
    private async Task<HealthReport> LookAsync(CancellationToken cancellationToken)
    {
        await _looking.WaitAsync(cancellationToken);
        try
        {
            if (!health.IsSetUp)
            {
                _checked = null;
                return await health.CheckReadyAsync(cancellationToken);
            }

            if (_checked is not { } known || time.GetElapsedTime(known.At) >= HealthFreshness)
            {
                _checked = known = (time.GetTimestamp(), await TryCheckAsync(cancellationToken));
            }

            return known.Report;
        }
        finally
        {
            _looking.Release();
        }
    }

    private async Task<HealthReport> TryCheckAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(HealthPatience);
        try
        {
            return await health.CheckReadyAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            var slow = new HealthReportEntry(
                HealthStatus.Unhealthy,
                $"Health did not answer within {HealthPatience.TotalSeconds:0} s.",
                HealthPatience,
                null,
                null
            );
            return new HealthReport(new Dictionary<string, HealthReportEntry> { ["health"] = slow }, HealthPatience);
        }
    }

    private sealed record Sources(
        IGenerationEngine Engine,
        HeldJobs Held,
        EndedJobs Ended,
        QueueDepths Queues,
        IWaitingPlace WaitingPlace,
        WorkerIdentity Identity,
        IHostApplicationLifetime Lifetime
    );
}
