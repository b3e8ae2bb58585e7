using Dsde.Persistence;
using Dsde.Persistence.Upkeep;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Hosting;

/// <summary>
/// Has the database make room for what comes, at the start and twice a day. Nothing waits for it: room is made for months, and what has
/// none yet is stored all the same.
/// </summary>
internal sealed class UpkeepTimer(IDatabaseUpkeep upkeep, TimeProvider time, ILogger<UpkeepTimer> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(12);

    /// <summary>Once.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        try
        {
            await upkeep.PrepareAsync(cancellationToken);
        }
        catch (DatabaseUnavailableException)
        {
            // The next time; that the database is away is said elsewhere.
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            logger.UpkeepFailed(exception);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            await PrepareAsync(stoppingToken);
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
