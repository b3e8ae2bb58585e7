using System.Collections.Concurrent;
using Dsde.Contracts;
using Dsde.Pipeline.Messaging.Taking;
using Dsde.Pipeline.Resilience;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// The exchanges and queues of jobs, exactly as the worker's endpoints declare theirs. What is for all models is made by whoever comes
/// first, so that jobs sent before the first worker ever ran have a place to wait; the queues of a model only by who serves it, so that
/// having queues means that somebody has served it.
/// </summary>
/// <param name="options">The broker.</param>
/// <param name="models">Aliases of the models whose queues are made.</param>
/// <remarks>
/// The exchange of jobs takes everything, and hands it to one that goes by routing keys; what that one has no queue for is unrouted. Two
/// exchanges, because producers may declare the first one, and it is what it was before models had queues.
/// </remarks>
internal sealed class QueueTopology(RabbitMqOptions options, IReadOnlyCollection<string> models)
{
    /// <summary>
    /// Deliveries of a message before it is dead-lettered. What counts the starts of a job is the database; this one only stops a message
    /// that never gets so far. RabbitMQ 4 would stop at 20, which a long job uses up by acknowledgement timeouts and restarts of workers,
    /// and brokers before that not at all. The number must be positive for RabbitMQ 3.
    /// </summary>
    public const int DeliveryLimit = 1000;

    /// <summary>
    /// How long a queue is no queue yet that was just made. RabbitMQ 3.10 forgets all that it has confirmed for a quorum queue if it is
    /// killed within half a second of making it, as the queue's name is on its disk no sooner; after a second nothing was lost.
    /// </summary>
    public static readonly TimeSpan Settling = TimeSpan.FromSeconds(1.5);

    private readonly ConcurrentDictionary<string, byte> _known = new(StringComparer.Ordinal);
    private long _newAt; // when a queue was found missing; 0 if none was

    /// <summary>Arguments of the exchange that goes by routing keys.</summary>
    public static Dictionary<string, object?> ModelArguments { get; } =
        new() { ["alternate-exchange"] = QueueNames.UnroutedGenerationJobs };

    /// <summary>Declares them, if they are not there.</summary>
    /// <exception cref="BrokerUnavailableException">The broker can't be reached, or goes away meanwhile.</exception>
    /// <exception cref="ExpectedFailureException">It doesn't let the user, or has a queue with other arguments.</exception>
    public async Task DeclareAsync(CancellationToken cancellationToken)
    {
        await using var connection = await PlainConnection.OpenAsync(options, cancellationToken);
        await DeclareAsync(connection, cancellationToken);
    }

    /// <summary>The same over a connection that is open.</summary>
    /// <exception cref="BrokerUnavailableException">The broker goes away meanwhile.</exception>
    /// <exception cref="ExpectedFailureException">It doesn't let the user, or has a queue with other arguments.</exception>
    public async Task DeclareAsync(PlainConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            var isNew = await LookForMissingAsync(connection, cancellationToken);
            await using var channel = await connection.CreateChannelAsync(cancellationToken);
            await DeclareAsync(channel, isNew, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && BrokerPatience.IsLost(exception))
        {
            throw BrokerFailure.Create(options, exception);
        }
    }

    /// <summary>Declares them, and says what is wrong; null if nothing is.</summary>
    public async Task<string?> FindFaultAsync(CancellationToken cancellationToken)
    {
        try
        {
            await DeclareAsync(cancellationToken);
            return null;
        }
        catch (ExpectedFailureException exception)
        {
            return exception.Message;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Whatever a broker in trouble does.
            return $"RabbitMQ at {options.Describe()} does not answer as it should: {exception.Message}";
        }
    }

    /// <summary>Arguments of the queues that workers consume: replicated, and nothing is dropped without a trace.</summary>
    public static Dictionary<string, object?> JobArguments(RabbitMqOptions options)
    {
        var arguments = new Dictionary<string, object?>
        {
            ["x-queue-type"] = "quorum",
            ["x-dead-letter-exchange"] = QueueNames.DeadGenerationJobs,
            ["x-delivery-limit"] = DeliveryLimit,
        };
        if (options.AcknowledgementTimeoutMinutes > 0)
        {
            arguments["x-consumer-timeout"] = options.AcknowledgementTimeoutMinutes * 60_000;
        }

        return arguments;
    }

    private IEnumerable<string> QuorumQueues =>
        [
            QueueNames.UnroutedGenerationJobs,
            QueueNames.HeldGenerationJobs,
            QueueNames.ParkedGenerationJobs,
            .. models.SelectMany(Lane.AllOf).Select(lane => lane.Queue),
        ];

    private async Task<bool> LookForMissingAsync(PlainConnection connection, CancellationToken cancellationToken)
    {
        var (reader, isNew) = (new QueueReader(connection), false);
        foreach (var queue in QuorumQueues.Where(queue => !_known.ContainsKey(queue)))
        {
            if (await reader.FindAsync(queue, cancellationToken) is null)
            {
                NoteNew(); // before it is made: another call may find it there at once
                isNew = true;
            }

            _known[queue] = 0;
        }

        return isNew;
    }

    private void NoteNew() => Volatile.Write(ref _newAt, TimeProvider.System.GetTimestamp());

    /// <summary>Also if another call has made the queues just now.</summary>
    private async Task WaitUntilSettledAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _newAt) is not 0 and var since && Settling - TimeProvider.System.GetElapsedTime(since) is { Ticks: > 0 } rest)
        {
            await Task.Delay(rest, cancellationToken);
        }
    }

    private async Task DeclareAsync(IChannel channel, bool isNew, CancellationToken cancellationToken)
    {
        await DeclareExchangeAsync(channel, QueueNames.GenerationJobs, cancellationToken);
        await channel.ExchangeDeclareAsync(
            QueueNames.ModelGenerationJobs,
            ExchangeType.Direct,
            durable: true,
            autoDelete: false,
            ModelArguments,
            cancellationToken: cancellationToken
        );
        await DeclareQueueAsync(channel, QueueNames.DeadGenerationJobs, [], cancellationToken);
        await DeclareQueueAsync(channel, QueueNames.UnroutedGenerationJobs, JobArguments(options), cancellationToken);
        await DeclareQueueAsync(channel, QueueNames.HeldGenerationJobs, HeldArguments, cancellationToken);
        await DeclareQueueAsync(channel, QueueNames.ParkedGenerationJobs, ParkedArguments, cancellationToken);
        foreach (var lane in models.SelectMany(Lane.AllOf))
        {
            await DeclareQueueAsync(channel, lane.Queue, JobArguments(options), cancellationToken);
        }

        if (isNew)
        {
            NoteNew();
        }

        await WaitUntilSettledAsync(cancellationToken);
        foreach (var lane in models.SelectMany(Lane.AllOf))
        {
            await channel.ExchangeBindAsync(
                lane.Queue,
                QueueNames.ModelGenerationJobs,
                lane.RoutingKey,
                cancellationToken: cancellationToken
            );
        }

        // Only now, so that no job falls between.
        await channel.ExchangeBindAsync(
            QueueNames.ModelGenerationJobs,
            QueueNames.GenerationJobs,
            "",
            cancellationToken: cancellationToken
        );
    }

    /// <summary>
    /// Of messages that wait for another worker's claim. All wait for the same time, as a quorum queue looks only at its first message.
    /// Passing on is confirmed by the queue that gets the message (at least once), so that none is lost on the way.
    /// </summary>
    private static Dictionary<string, object?> HeldArguments { get; } =
        new()
        {
            ["x-queue-type"] = "quorum",
            ["x-message-ttl"] = (long)WaitingQueue.Wait.TotalMilliseconds,
            ["x-dead-letter-exchange"] = QueueNames.ModelGenerationJobs,
            ["x-dead-letter-strategy"] = "at-least-once",
            ["x-overflow"] = "reject-publish",
        };

    /// <summary>Of jobs for models that nobody serves. Each brings its time with it; when that is over, the router gets it again.</summary>
    private static Dictionary<string, object?> ParkedArguments { get; } =
        new()
        {
            ["x-queue-type"] = "quorum",
            ["x-dead-letter-exchange"] = QueueNames.UnroutedGenerationJobs,
            ["x-dead-letter-strategy"] = "at-least-once",
            ["x-overflow"] = "reject-publish",
            ["x-delivery-limit"] = DeliveryLimit, // being looked at counts as well
        };

    /// <summary>A queue, and an exchange of the same name that leads to it.</summary>
    private static async Task DeclareQueueAsync(
        IChannel channel,
        string name,
        Dictionary<string, object?> arguments,
        CancellationToken cancellationToken
    )
    {
        await DeclareExchangeAsync(channel, name, cancellationToken);
        await channel.QueueDeclareAsync(
            name,
            durable: true,
            exclusive: false,
            autoDelete: false,
            arguments,
            cancellationToken: cancellationToken
        );
        await channel.QueueBindAsync(name, name, "", cancellationToken: cancellationToken);
    }

    private static Task DeclareExchangeAsync(IChannel channel, string name, CancellationToken cancellationToken) =>
        channel.ExchangeDeclareAsync(name, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: cancellationToken);
}
