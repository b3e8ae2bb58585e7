using Dsde.Batches.Reporting;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Messaging;

namespace Dsde.Worker.Cli;

/// <summary>
/// Whether anybody works on jobs that were sent: as the broker knows it, by the readers of the queues of their models, and as the database
/// does, by the workers of these models that have lately said that they are there.
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
        var queues = await ReadAsync(lanes, cancellationToken);
        var unread = Except(lanes, queues.Where(queue => queue.Consumers > 0));
        if (await TryFindWorkersAsync(cancellationToken) is not { } alive)
        {
            return unread.Count == 0 ? "" : DescribeUnread(unread, Except(unread, queues));
        }

        var absent = lanes.Where(lane => !alive.Any(worker => worker.Models.Contains(lane.Model, StringComparer.Ordinal))).ToList();
        if (unread.Count == 0)
        {
            return absent.Count == 0
                ? ""
                : $"{Describe(absent)} is read, but no worker of the model is alive in the database: it hangs, or uses another database, "
                    + "and then the results go there. Compare: dsde models";
        }

        var serving = alive.Count(worker => unread.Any(lane => worker.Models.Contains(lane.Model, StringComparer.Ordinal)));
        return serving == 0
            ? DescribeUnread(unread, Except(unread, queues))
            : $"no worker is attached to {Describe(unread)}, although {Quantity.Of(serving, "is", "are")} alive in the database: still "
                + "starting, without the broker, or with another one. The jobs wait there until one is. Compare: dsde models";
    }

    private string DescribeUnread(IReadOnlyCollection<Lane> unread, IReadOnlyCollection<Lane> missing)
    {
        var lack = $"no worker is attached to {Describe(unread)}: the jobs wait there until one is. Start one with: dsde worker";
        if (missing.Count == 0)
        {
            return lack;
        }

        var models = string.Join(" or ", missing.Select(lane => lane.Model).Distinct());
        return $"{lack} (none has ever served {models}: workers of other models let such jobs fail after "
            + $"{WorkerOptions.SectionName}:{nameof(WorkerOptions.ModelWaitSeconds)})";
    }

    private static IReadOnlyCollection<Lane> Except(IReadOnlyCollection<Lane> lanes, IEnumerable<Overview.Queue> queues) =>
        [.. lanes.ExceptBy(queues.Select(queue => queue.Name), lane => lane.Queue)];

    private async Task<IReadOnlyList<Overview.Queue>> ReadAsync(IReadOnlyCollection<Lane> lanes, CancellationToken cancellationToken)
    {
        try
        {
            return await BrokerQueues.ReadAsync(rabbitMq, lanes.Select(lane => lane.Queue), cancellationToken);
        }
        catch (Exception exception) when (BrokerFailure.IsOne(exception))
        {
            throw BrokerFailure.Create(rabbitMq, exception);
        }
    }

    /// <summary>Null if the database can't be asked now.</summary>
    private async Task<IReadOnlyList<LivingWorker>?> TryFindWorkersAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await store.FindWorkersAsync(aliveWithin, cancellationToken);
        }
        catch (DatabaseUnavailableException)
        {
            return null;
        }
    }

    private string Describe(IEnumerable<Lane> lanes) =>
        $"{string.Join(" and ", lanes.Select(lane => lane.Queue))} of RabbitMQ at {rabbitMq.Describe()}";
}
