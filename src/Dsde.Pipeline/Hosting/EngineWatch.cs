using Dsde.Engine;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Hosting;

/// <summary>
/// Notices an engine that hangs, in a native call that never returns for example. Nothing in this process can help it then: its jobs are
/// let go of at once, for other workers, and the process is asked to end, for whatever runs it to start a new one.
/// </summary>
internal sealed class EngineWatch(
    IGenerationEngine engine,
    HeldJobs heldJobs,
    IHostApplicationLifetime lifetime,
    WorkerOptions options,
    TimeProvider time,
    ILogger<EngineWatch> logger
) : BackgroundService, IEngineLiveness
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _patience = TimeSpan.FromSeconds(options.EngineStallSeconds);

    /// <inheritdoc/>
    public DateTimeOffset? StuckSince { get; private set; }

    /// <summary>Looks at the engine once.</summary>
    public void Look()
    {
        var snapshot = engine.GetSnapshot();
        if (StuckSince is not null || !snapshot.IsStuck(_patience))
        {
            return;
        }

        StuckSince = time.GetUtcNow() - snapshot.SinceAdvance;
        logger.EngineHangs(snapshot.Running, snapshot.Waiting, snapshot.SinceAdvance.TotalSeconds);
        lifetime.StopApplication();
        heldJobs.HandBackAll();
        heldJobs.AbandonAll();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            Look();
        }
    }
}
