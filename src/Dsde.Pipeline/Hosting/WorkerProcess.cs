using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline.Hosting.Status;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Messaging.Attachment;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Dsde.Pipeline.Hosting;

/// <summary>
/// A worker from the first second to the last: health answers, database and broker are waited for, the engine is loaded, jobs are taken
/// until it is to stop, and what runs is drained.
/// </summary>
/// <param name="worker">Options.</param>
/// <param name="rabbitMq">The broker.</param>
/// <param name="persistence">The database.</param>
/// <param name="load">Loads the engine, which may take minutes; it is disposed of here.</param>
/// <param name="loggers">Where logs go.</param>
internal sealed class WorkerProcess(
    WorkerOptions worker,
    RabbitMqOptions rabbitMq,
    PersistenceOptions persistence,
    Func<IGenerationEngine> load,
    ILoggerFactory loggers
)
{
    private static readonly TimeSpan ServerPatience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan HangPatience = TimeSpan.FromSeconds(5);

    private readonly WorkerStatus _status = new(new WorkerHealth(), worker, TimeProvider.System);

    private WorkerHealth Health => _status.Health;

    /// <summary>The host gives up its services' stopping before that, if they listen.</summary>
    private TimeSpan StopPatience => TimeSpan.FromSeconds(worker.DrainSeconds + 11);

    /// <summary>Runs it.</summary>
    /// <param name="stop">Cancelled to stop the worker, at whatever stage it is.</param>
    /// <returns>Null if it was stopped; otherwise how it lost its place at the broker for good.</returns>
    /// <exception cref="ExpectedFailureException">It can't work: the port is taken, the schema is another one, the engine
    /// failed.</exception>
    public async Task<string?> RunAsync(CancellationToken stop)
    {
        var server = await HealthServer.StartAsync(worker, _status, loggers, CancellationToken.None);
        try
        {
            await WaitForServersAsync(stop);
            Health.Await("models", "The models are being loaded.");
            var engine = await LoadAsync(stop);
            return await WorkAsync(engine, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            Health.Await("stop", "The worker is ending.");
            using var patience = new CancellationTokenSource(ServerPatience);
            await server.StopAsync(patience.Token);
            server.Dispose();
        }
    }

    private async Task WaitForServersAsync(CancellationToken stop)
    {
        var services = new ServiceCollection().AddSingleton(TimeProvider.System).AddSingleton(loggers).AddDsdePersistence(persistence);
        await using var provider = services.BuildServiceProvider();
        var prerequisites = new Prerequisites(
            Health,
            new DatabasePatience(TimeProvider.System, loggers.CreateLogger<DatabasePatience>()),
            new BrokerPatience(TimeProvider.System, loggers.CreateLogger<BrokerPatience>())
        );
        await prerequisites.RequireDatabaseAsync(provider.GetRequiredService<IDatabaseMigrator>(), stop);
        await prerequisites.RequireBrokerAsync(rabbitMq, worker.Models, stop);
    }

    /// <summary>Loading can't be interrupted: who is told to stop leaves it behind.</summary>
    private async Task<IGenerationEngine> LoadAsync(CancellationToken stop)
    {
        var loading = Task.Run(load, CancellationToken.None);
        return await loading.WaitAsync(stop);
    }

    private async Task<string?> WorkAsync(IGenerationEngine engine, CancellationToken stop)
    {
        var application = WorkerApplication.Build(engine, worker, rabbitMq, persistence, loggers);
        var watch = application.Services.GetRequiredService<EngineWatch>();
        var watchdog = application.Services.GetRequiredService<BusWatchdog>();
        try
        {
            await RunAsync(application, engine, stop);
            var ended = stop.IsCancellationRequested
                ? null
                : EndedServices.FindCancelled(application.Services.GetServices<IHostedService>());
            if (watch.StuckSince is null)
            {
                await WithinAsync(StopPatience, () => application.StopAsync(CancellationToken.None));
            }

            RequireUnharmed(application, engine, watch);
            if (ended is not null)
            {
                throw new InvalidOperationException($"{ended} has ended by itself.");
            }

            return watchdog.GaveUp;
        }
        finally
        {
            await EndAsync(application, watch);
        }
    }

    /// <summary>Until something asks it to stop.</summary>
    private async Task RunAsync(IHost application, IGenerationEngine engine, CancellationToken stop)
    {
        var lifetime = application.Services.GetRequiredService<IHostApplicationLifetime>();
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var noted = lifetime.ApplicationStopping.Register(stopping.SetResult);
        await using var asked = stop.Register(lifetime.StopApplication);

        // Without its engine a worker would only fail one job after the other: it ends, for whatever runs it to start it again.
        await using var breakdown = engine.BrokenDown.Register(lifetime.StopApplication);
        Health.Speak(application.Services.GetRequiredService<HealthCheckService>());
        _status.Speak(application.Services);
        await application.StartAsync(stop);
        await stopping.Task;
    }

    /// <summary>
    /// What waits for a hanging engine, or for a connection that the client library never gets closed, would do so for ever; the process
    /// ends all the same, and its connections with it.
    /// </summary>
    private async Task EndAsync(IHost application, EngineWatch watch)
    {
        _status.BeSilent();
        if (watch.StuckSince is not null)
        {
            using var limit = new CancellationTokenSource(HangPatience);
            await WithinAsync(HangPatience, () => application.StopAsync(limit.Token))
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await WithinAsync(HangPatience, () => ((IAsyncDisposable)application).DisposeAsync().AsTask())
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        Health.Await("stop", "The worker is ending.");
        await WithinAsync(HangPatience, () => ((IAsyncDisposable)application).DisposeAsync().AsTask());
    }

    /// <summary>Does something for so long, and then leaves it behind.</summary>
    private static async Task WithinAsync(TimeSpan patience, Func<Task> work)
    {
        var working = Task.Run(work);
        if (await Task.WhenAny(working, Task.Delay(patience, TimeProvider.System)) == working)
        {
            await working;
        }
    }

    private static void RequireUnharmed(IHost application, IGenerationEngine engine, EngineWatch watch)
    {
        if (watch.StuckSince is not null)
        {
            throw Hangs();
        }

        if (engine.BrokenDown.IsCancellationRequested)
        {
            throw new ExpectedFailureException("The engine has broken down; the log says why. Start the worker again.");
        }

        EndedServices.RequireUnharmed(application.Services.GetServices<IHostedService>());
    }

    private static ExpectedFailureException Hangs() =>
        new("The engine hangs; its jobs were left to other workers. Start the worker again.");
}
