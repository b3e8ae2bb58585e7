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

    private readonly Outage _outage = new(time, logger.DatabaseAway, away => logger.DatabaseBack(away.TotalSeconds));

    /// <summary>
    /// Does the work, again and again until the database answers. <paramref name="until"/>: ends the waiting, not the work.
    /// </summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> work, CancellationToken until)
    {
        while (true)
        {
            try
            {
                return await TryAsync(work);
            }
            catch (DatabaseUnavailableException)
            {
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

    /// <summary>Does the work once, and notes whether the database answers.</summary>
    /// <exception cref="DatabaseUnavailableException">It doesn't.</exception>
    public async Task<T> TryAsync<T>(Func<Task<T>> work)
    {
        var asked = time.GetTimestamp();
        try
        {
            var result = await work();
            _outage.Back(asked);
            return result;
        }
        catch (DatabaseUnavailableException exception)
        {
            Note(exception);
            throw;
        }
    }

    /// <summary>Notes that the database is away; logged once for all who notice it.</summary>
    public void Note(DatabaseUnavailableException exception) => _outage.Away(exception.Message);
}
