using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Hosting;

/// <summary>
/// Once the program is asked to stop, gives running jobs the time to drain. What runs longer is suspended where it is, its checkpoint
/// saved, and handed back to the queue; what does not even stop within some seconds is abandoned.
/// </summary>
internal sealed class DrainTimer(
    IHostApplicationLifetime lifetime,
    HeldJobs heldJobs,
    WorkerOptions options,
    TimeProvider time,
    ILogger<DrainTimer> logger
) : IHostedService, IDisposable
{
    /// <summary>For an iteration of the engine to end and a checkpoint to be saved. The bus waits a little longer.</summary>
    public static readonly TimeSpan SuspendTime = TimeSpan.FromSeconds(4);

    private ITimer? _handBack;
    private ITimer? _abandon;
    private CancellationTokenRegistration _registration;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _registration = lifetime.ApplicationStopping.Register(() =>
        {
            logger.Draining(heldJobs.Count, options.DrainSeconds);
            var drain = TimeSpan.FromSeconds(options.DrainSeconds);
            _handBack = time.CreateTimer(_ => heldJobs.HandBackAll(), null, drain, Timeout.InfiniteTimeSpan);
            _abandon = time.CreateTimer(_ => heldJobs.AbandonAll(), null, drain + SuspendTime, Timeout.InfiniteTimeSpan);
        });
        return Task.CompletedTask;
    }

    /// <summary>The bus has stopped, or had to be left: what it still delivers is not begun any more.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        heldJobs.HandBackAll();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _registration.Dispose();
        _handBack?.Dispose();
        _abandon?.Dispose();
    }
}
