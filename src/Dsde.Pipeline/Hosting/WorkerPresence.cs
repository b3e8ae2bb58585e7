using System.Reflection;
using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Persistence.Workers;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;
using Dsde.Speculation;

namespace Dsde.Pipeline.Hosting;

/// <summary>
/// Tells the database that this worker is there, and finds out when others have died. Starts before anything is consumed, so that claims of
/// an earlier process are void by then, and ends after everything is handed back.
/// </summary>
internal sealed class WorkerPresence(
    IWorkerRegistry registry,
    IWaitingPlace waitingPlace,
    HeldJobs heldJobs,
    IGenerationEngine engine,
    DatabasePatience patience,
    WorkerIdentity identity,
    WorkerOptions options,
    TimeProvider time,
    ILogger<WorkerPresence> logger
) : BackgroundService
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(2);

    private readonly TimeSpan _beatInterval = TimeSpan.FromSeconds(options.LeaseSeconds / 3.0);
    private bool _hasEntered;
    private long? _lastBeat;

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await EnterAsync(cancellationToken);
        }
        catch (DatabaseUnavailableException)
        {
            // The loop tries again, and until then nothing can be claimed anyway.
        }

        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LeavePatience);
        try
        {
            await registry.LeaveAsync(limit.Token);
        }
        catch (Exception exception) when (exception is DatabaseUnavailableException or OperationCanceledException)
        {
            // Then it is found to be gone.
        }
    }

    /// <summary>Looks once, and says that this worker is there if it is time to.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (!_hasEntered)
        {
            await EnterAsync(cancellationToken);
        }

        foreach (var dead in await patience.TryAsync(() => registry.BuryDeadAsync(cancellationToken)))
        {
            logger.WorkerBuried(dead.WorkerId, dead.ClaimCount);
        }

        if (_lastBeat is null || time.GetElapsedTime(_lastBeat.Value) >= _beatInterval)
        {
            await registry.BeatAsync(heldJobs.Count, waitingPlace.WaitingCount, cancellationToken);
            _lastBeat = time.GetTimestamp();
        }

        await waitingPlace.CountAsync(cancellationToken); // last: a broker that says nothing keeps nobody from being alive
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (DatabaseUnavailableException)
            {
                // Noted; it is asked again in a second.
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                logger.PresenceFailed(exception); // without this loop the worker would be taken for dead
            }
        }
    }

    private async Task EnterAsync(CancellationToken cancellationToken)
    {
        var version = typeof(WorkerPresence).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        var loaded = engine.Description;
        var description = new WorkerDescription
        {
            StartId = identity.StartId,
            WorkerId = identity.WorkerId,
            Host = Environment.MachineName,
            Version = version ?? "",
            Models = options.Models,
            TargetModel = loaded.Target,
            DraftModel = loaded.Draft,
            Policy = loaded.DefaultPolicy,
            Device = loaded.Device,
            DataType = loaded.DataType,
            Threads = loaded.Threads,
            Kernels = loaded.Kernels,
            BatchSize = loaded.BatchSize,
            CostProfile = EngineCostsJson.Write(loaded.Costs),
        };
        var takenBack = await patience.TryAsync(() => registry.EnterAsync(description, cancellationToken));
        _hasEntered = true;
        if (takenBack is null)
        {
            logger.WorkerIdTaken(identity.WorkerId);
        }
        else if (takenBack > 0)
        {
            logger.ClaimsTakenBack(identity.WorkerId, takenBack.Value);
        }
    }
}
