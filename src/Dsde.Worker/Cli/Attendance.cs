using Dsde.Batches.Reporting;
using Dsde.Persistence;
using Dsde.Pipeline;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Messaging;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Worker.Cli;

/// <summary>
/// Whether anybody works on jobs that were sent: as the broker knows it, by the readers of their queues, and as the database does, by the
/// workers that have lately said that they are there.
/// </summary>
/// <param name="rabbitMq">The broker.</param>
/// <param name="store">The database.</param>
/// <param name="aliveWithin">Who was seen within that time is alive.</param>
internal sealed class Attendance(RabbitMqOptions rabbitMq, IJobStore store, TimeSpan aliveWithin)
{
    private const int LeasesUntilDead = 3;

    /// <summary>Who was seen within that time is alive.</summary>
    public static TimeSpan AliveWithin(WorkerOptions worker) => TimeSpan.FromSeconds(worker.LeaseSeconds * LeasesUntilDead);

    /// <summary>What is lacking, for people; empty if nothing is.</summary>
    /// <param name="lanes">Those that the jobs were sent by.</param>
    /// <param name="cancellationToken">Stops asking.</param>
    /// <exception cref="ExpectedFailureException">The broker can't be asked.</exception>
    public async Task<string> DescribeLackAsync(IReadOnlyCollection<Lane> lanes, CancellationToken cancellationToken)
    {
        var unread = await FindUnreadAsync(lanes, cancellationToken);
        var alive = await TryCountAliveAsync(cancellationToken);
        return (unread.Count, alive) switch
        {
            (0, 0) when lanes.Count > 0 =>
                $"{Describe(lanes)} is read, but no worker is alive in the database: it hangs, or uses another database, "
                    + "and then the results go there. Compare: dsde status",
            (0, _) => "",
            (_, > 0) => $"no worker is attached to {Describe(unread)}, although {Quantity.Of(alive.Value, "is", "are")} alive in the "
                + "database: still starting, without the broker, or with another one. The jobs wait there until one is. "
                + "Compare: dsde status",
            _ => $"no worker is attached to {Describe(unread)}: the jobs wait there until one is. Start one with: dsde worker",
        };
    }

    private async Task<IReadOnlyCollection<Lane>> FindUnreadAsync(IReadOnlyCollection<Lane> lanes, CancellationToken cancellationToken)
    {
        try
        {
            var queues = await BrokerQueues.ReadAsync(rabbitMq, lanes.Select(lane => lane.Queue), cancellationToken);
            var read = queues.Where(queue => queue.Consumers > 0).Select(queue => queue.Name);
            return [.. lanes.ExceptBy(read, lane => lane.Queue)];
        }
        catch (Exception exception) when (BrokerFailure.IsOne(exception))
        {
            throw BrokerFailure.Create(rabbitMq, exception);
        }
    }

    /// <summary>Null if the database can't be asked now.</summary>
    private async Task<int?> TryCountAliveAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await store.FindWorkersAsync(aliveWithin, cancellationToken)).Count;
        }
        catch (DatabaseUnavailableException)
        {
            return null;
        }
    }

    private string Describe(IEnumerable<Lane> lanes) =>
        $"{string.Join(" and ", lanes.Select(lane => lane.Queue))} of RabbitMQ at {rabbitMq.Describe()}";
}
