using Dsde.Batches.Files;
using Dsde.Batches.Files.Results;
using Dsde.Batches.Following;
using Dsde.Batches.Reporting;
using Dsde.Benchmarks;
using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;
using Dsde.Worker.Cli;
using MassTransit;

namespace Dsde.Worker.Embedded;

/// <summary>The whole pipeline in one process: in-memory transport and SQLite, everything else as in production.</summary>
internal sealed class EmbeddedRun : IAsyncDisposable
{
    private const int WindowPerSlot = 4;

    private readonly IHost _host;
    private readonly IGenerationEngine _engine;
    private readonly Guid _batchId;
    private readonly Dictionary<string, Reservoir<SubmitGenerationJob>> _samples = [];

    private EmbeddedRun(IHost host, IGenerationEngine engine, Guid batchId)
    {
        _host = host;
        _engine = engine;
        _batchId = batchId;
    }

    /// <summary>What has ended so far.</summary>
    public RunTally Tally => _host.Services.GetRequiredService<RunTally>();

    /// <summary>
    /// Sets everything up around a loaded engine, which it then owns, and a database file. Of the configured worker only what is stored of
    /// outputs counts.
    /// </summary>
    public static async Task<EmbeddedRun> StartAsync(
        IGenerationEngine engine,
        string databasePath,
        Guid batchId,
        IReadOnlyList<string> models,
        WorkerOptions configured,
        IConfiguration configuration,
        CancellationToken cancellationToken
    )
    {
        // Nobody goes on with its jobs; a later run takes back at once what this one held if it is killed.
        var options = new WorkerOptions
        {
            WorkerId = "dsde-run",
            Models = [.. models],
            DrainSeconds = 0,
            CheckpointTokens = 0,
            TelemetryLevel = configured.TelemetryLevel,
            ReplaySampling = configured.ReplaySampling,
        };
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder
            .Logging.AddConfiguration(configuration.GetSection("Logging"))
            .AddSimpleConsole(console => console.SingleLine = true)
            .SetMinimumLevel(LogLevel.Error);
        builder.Logging.AddFilter("MassTransit", LogLevel.Error);
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None); // of a start that fails its caller tells
        builder.Services.AddJobRunning(
            _ => engine,
            options,
            new PersistenceOptions { Provider = PersistenceOptions.Sqlite, ConnectionString = ConnectionStrings.ForFile(databasePath) }
        );
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder.Services.AddMetrics();
        builder.Services.AddSingleton<RunTally>();
        builder.Services.AddSingleton(services => new BatchFollower(batchId, services.GetRequiredService<RunTally>()));
        builder.Services.AddSingleton(services => new JobFeeder(
            (job, token) => services.GetRequiredService<IBus>().SendJobAsync(BusSetup.InMemoryJobs, job, token)
        ));
        builder.Services.AddInMemoryWorker(options, engine.Description.BatchSize, typeof(FollowerConsumer));
        var host = builder.Build();
        await host.Services.GetRequiredService<IDatabaseMigrator>().MigrateAsync(cancellationToken);
        await host.StartAsync(cancellationToken);
        return new EmbeddedRun(host, engine, batchId);
    }

    /// <summary>
    /// Sends those of the file's jobs that have not ended and waits for their ends, which go to <paramref name="results"/>.
    /// </summary>
    /// <exception cref="ExpectedFailureException">The engine has broken down, so that they will have none.</exception>
    /// <exception cref="InvalidOperationException">A part of the pipeline has failed, likewise.</exception>
    public async Task RunAsync(JobFile file, int jobCount, GrowingResults results, CancellationToken cancellationToken)
    {
        await _host
            .Services.GetRequiredService<IJobStore>()
            .RegisterBatchAsync(new NewBatch(_batchId, jobCount, Path.GetFileName(file.Path)), cancellationToken);
        var follower = _host.Services.GetRequiredService<BatchFollower>();
        follower.JobEnded += results.See;
        follower.Expect(jobCount - results.EndedBeforeCount);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken,
            _engine.BrokenDown,
            _host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping // it stops for a service that has failed
        );
        try
        {
            await _host
                .Services.GetRequiredService<JobFeeder>()
                .SendAsync(
                    file.ReadAsync(stop.Token).Where(results.Expect),
                    WindowPerSlot * _engine.Description.BatchSize,
                    follower.Ends,
                    Sample,
                    stop.Token
                );
            await follower.AllEnded.WaitAsync(stop.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            EndedServices.RequireUnharmed(_host.Services.GetServices<IHostedService>());
            throw new ExpectedFailureException("The engine has broken down; jobs without a result have to be run again.", exception);
        }
    }

    /// <summary>Begins to write results.jsonl and errors.jsonl, as far as they are.</summary>
    public Task<GrowingResults> GrowAsync(JobFile file, string folder, CancellationToken cancellationToken) =>
        GrowingResults.StartAsync(
            folder,
            file.ReadAsync(cancellationToken),
            new StoredJobs(_host.Services.GetRequiredService<IJobStore>()),
            cancellationToken
        );

    /// <summary>Writes results.jsonl and errors.jsonl, in the order of the file.</summary>
    public Task<WrittenResults> WriteAsync(JobFile file, string folder, CancellationToken cancellationToken) =>
        new ResultFiles(folder, new StoredJobs(_host.Services.GetRequiredService<IJobStore>())).WriteAsync(
            file.ReadAsync(cancellationToken),
            file.Defaults,
            allAreKnown: false,
            cancellationToken
        );

    /// <summary>
    /// Measures what speculation gains on samples of the run's jobs: by workload, and for all, each workload by its tokens, under the empty
    /// name.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, double>> MeasureSpeedUpAsync(
        int rounds,
        TimeSpan limit,
        CancellationToken cancellationToken
    )
    {
        var measurement = new SpeedUpMeasurement(_engine, TimeProvider.System);
        var validator = _host.Services.GetRequiredService<JobValidator>();
        var speedUps = new Dictionary<string, double>();
        var workloads = new List<(long Tokens, SpeedUpSample Sample)>();
        foreach (var (workload, sample) in _samples)
        {
            var requests = sample.Items.Select(job => TryValidate(validator, job)).OfType<GenerationRequest>().ToList();
            if (requests.Count == 0)
            {
                continue;
            }

            var measured = await measurement.MeasureAsync(requests, rounds, limit / _samples.Count, cancellationToken);
            speedUps[workload] = measured.SpeedUp;
            workloads.Add((Tally.CountTokens(workload), measured));
        }

        if (SpeedUpSample.Overall(workloads) is { } overall)
        {
            speedUps[""] = overall;
        }

        return speedUps;
    }

    /// <summary>Stops the pipeline; jobs that still run are given up.</summary>
    public async ValueTask DisposeAsync()
    {
        _host.Services.GetRequiredService<HeldJobs>().HandBackAll();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _host.StopAsync(patience.Token);
        if (_host is IAsyncDisposable disposable)
        {
            await disposable.DisposeAsync();
        }
    }

    private void Sample(SubmitGenerationJob job)
    {
        var label = RunTally.LabelOf(job.Metadata);
        if (!_samples.TryGetValue(label, out var sample))
        {
            sample = new Reservoir<SubmitGenerationJob>(SpeedUpMeasurement.SampleSize(_engine.Description.BatchSize));
            _samples.Add(label, sample);
        }

        sample.Offer(job);
    }

    private static GenerationRequest? TryValidate(JobValidator validator, SubmitGenerationJob job)
    {
        try
        {
            return validator.Validate(job)[0];
        }
        catch (JobRejectedException)
        {
            return null;
        }
    }
}
