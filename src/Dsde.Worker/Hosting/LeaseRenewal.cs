using Dsde.Persistence;
using Dsde.Worker.Jobs;
using Dsde.Worker.Telemetry;

namespace Dsde.Worker.Hosting;

/// <summary>Keeps the worker's claims alive while it is.</summary>
internal sealed class LeaseRenewal(IJobStore store, RunningJobs running, WorkerOptions options, TimeProvider time, ILogger<LeaseRenewal> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var lease = TimeSpan.FromSeconds(options.LeaseSeconds);
        using var timer = new PeriodicTimer(lease / 3, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                foreach (var notice in await store.RenewAsync(running.Held, lease, stoppingToken))
                {
                    running.Cancel(notice.JobId);
                }
            }
            catch (DatabaseUnavailableException exception)
            {
                logger.DatabaseAway(exception.Message);
            }
        }
    }
}
