using Dsde.Persistence;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Hosting;

/// <summary>
/// Keeps the worker's claims alive while it is, and learns from that what has happened to its jobs. While the database is away work goes
/// on: nobody else can claim either, and who was overtaken all the same can't store. While the engine hangs nothing is renewed, so that
/// others take its jobs over.
/// </summary>
internal sealed class LeaseRenewal(
    IJobStore store,
    HeldJobs heldJobs,
    DatabasePatience patience,
    IEngineLiveness engine,
    WorkerOptions options,
    TimeProvider time,
    ILogger<LeaseRenewal> logger
) : BackgroundService
{
    private readonly TimeSpan _lease = TimeSpan.FromSeconds(options.LeaseSeconds);

    /// <summary>Renews once.</summary>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        var leases = heldJobs.Leases;
        if (leases.Count == 0 || engine.StuckSince is not null)
        {
            return;
        }

        var byId = leases.ToDictionary(lease => lease.JobId);
        foreach (var notice in await patience.TryAsync(() => store.RenewAsync(leases, _lease, cancellationToken)))
        {
            heldJobs.Tell(byId[notice.JobId], notice.Kind);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_lease / 3, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await RenewAsync(stoppingToken);
            }
            catch (DatabaseUnavailableException)
            {
                // Noted; the next time may go better.
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                logger.LeasesNotRenewed(exception); // the next time may go better, and without this loop no lease would live
            }
        }
    }
}
