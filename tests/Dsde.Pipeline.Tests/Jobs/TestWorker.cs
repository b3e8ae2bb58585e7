using System.Diagnostics.Metrics;
using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Checkpoints;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>A worker without its queue: what runs jobs, as the program puts it together. Any number of them share a store.</summary>
internal sealed class TestWorker : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public TestWorker(
        IJobStore store,
        TimeProvider time,
        IGenerationEngine engine,
        WorkerOptions? options = null,
        string workerId = "worker"
    )
    {
        WorkerId = workerId;
        Options = options ?? new WorkerOptions();
        Running = new HeldJobs(time);
        Patience = new DatabasePatience(time, NullLogger<DatabasePatience>.Instance);
        Checkpoints = new CheckpointWriter(store, Patience, NullLogger<CheckpointWriter>.Instance);
        var generator = new OutputGenerator(engine, Checkpoints, Options, time, NullLogger<OutputGenerator>.Instance);
        var work = new JobAttempt(
            store,
            engine,
            new JobValidator(engine, Options),
            generator,
            Gate,
            Patience,
            Options,
            time,
            NullLogger<JobAttempt>.Instance
        );
        Runner = new JobRunner(
            store,
            work,
            Checkpoints,
            Running,
            Patience,
            new WorkerIdentity(workerId),
            Options,
            new WorkerMetrics(
                _services.GetRequiredService<IMeterFactory>(),
                engine,
                new WaitInProcess(time),
                Options,
                time,
                NullLogger<WorkerMetrics>.Instance
            ),
            NullLogger<JobRunner>.Instance
        );
        Renewal = new LeaseRenewal(store, Running, Patience, Engine, Options, time, NullLogger<LeaseRenewal>.Instance);
    }

    public string WorkerId { get; }

    /// <summary>What its instruments belong to.</summary>
    public IMeterFactory Meters => _services.GetRequiredService<IMeterFactory>();

    public WorkerOptions Options { get; }

    /// <summary>Whether the engine is taken to hang.</summary>
    public FakeLiveness Engine { get; } = new();

    public HeldJobs Running { get; }

    public EngineGate Gate { get; } = new();

    public DatabasePatience Patience { get; }

    public CheckpointWriter Checkpoints { get; }

    public JobRunner Runner { get; }

    public LeaseRenewal Renewal { get; }

    public TimeSpan Lease => TimeSpan.FromSeconds(Options.LeaseSeconds);

    public Task<JobOutcome> RunAsync(SubmitGenerationJob job, JobLane lane = JobLane.Bulk) => Runner.RunAsync(new JobDelivery(job, lane));

    public async Task<StoredJob> RunToEndAsync(SubmitGenerationJob job) => (await RunAsync(job)).ShouldBeOfType<JobOutcome.Ended>().Job;

    /// <summary>Waits until the worker has claimed a job.</summary>
    public async Task<HeldJob> ClaimedAsync(Guid jobId)
    {
        while (true)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            if (Running.Find(jobId) is { } job)
            {
                return job;
            }

            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Running.HandBackAll();
        Running.AbandonAll();
        await Checkpoints.StopAsync(CancellationToken.None);
        Checkpoints.Dispose();
        Renewal.Dispose();
        await _services.DisposeAsync();
    }

    internal sealed class FakeLiveness : IEngineLiveness
    {
        public DateTimeOffset? StuckSince { get; set; }
    }
}
