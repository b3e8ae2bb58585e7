using Dsde.Worker.Jobs;
using Dsde.Worker.Telemetry;

namespace Dsde.Worker.Hosting;

/// <summary>Once the program is asked to stop, gives running jobs the time to drain; what runs longer is handed back to the queue.</summary>
internal sealed class DrainTimer(IHostApplicationLifetime lifetime, RunningJobs running, WorkerOptions options, TimeProvider time, ILogger<DrainTimer> logger) : IHostedService, IDisposable
{
    private ITimer? _timer;
    private CancellationTokenRegistration _registration;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _registration = lifetime.ApplicationStopping.Register(() =>
        {
            logger.Draining(running.Count, options.DrainSeconds);
            _timer = time.CreateTimer(_ => running.HandBackAll(), null, TimeSpan.FromSeconds(options.DrainSeconds), Timeout.InfiniteTimeSpan);
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _registration.Dispose();
        _timer?.Dispose();
    }
}
