using Dsde.Persistence;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Run;

/// <summary>
/// Waits while the database is away. Who waits keeps its message, which keeps further jobs in the broker; nothing is lost and nothing is
/// retried to death.
/// </summary>
internal sealed class DatabasePatience(TimeProvider time, ILogger<DatabasePatience> logger)
{
    /// <summary>Between two tries.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private static readonly long NeverNoted = long.MinValue;

    private long _noted = NeverNoted;

    /// <summary>
    /// Does the work, again and again until the database answers. <paramref name="until"/>: ends the waiting, not the work.
    /// </summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> work, CancellationToken until)
    {
        while (true)
        {
            try
            {
                return await work();
            }
            catch (DatabaseUnavailableException exception)
            {
                Note(exception);
                await Task.Delay(Pause, time, until);
            }
        }
    }

    /// <summary>The same for work without a result.</summary>
    public Task RunAsync(Func<Task> work, CancellationToken until) =>
        RunAsync(
            async () =>
            {
                await work();
                return true;
            },
            until
        );

    /// <summary>Logs that the database is away; once for all who notice it at the same time.</summary>
    public void Note(DatabaseUnavailableException exception)
    {
        var (now, noted) = (time.GetTimestamp(), Interlocked.Read(ref _noted));
        if (
            (noted == NeverNoted || time.GetElapsedTime(noted, now) >= Pause)
            && Interlocked.CompareExchange(ref _noted, now, noted) == noted
        )
        {
            logger.DatabaseAway(exception.Message);
        }
    }
}
