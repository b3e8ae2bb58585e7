using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;
using MassTransit;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// Where the message of a job waits whose claim another worker has: in the broker, and not in a consumer, where it would take the place of
/// a job that can run. After some seconds the broker passes it on to <see cref="Lane.Resumed"/>, and somebody looks at the job again.
/// </summary>
/// <param name="rabbitMq">The broker.</param>
/// <param name="broker">Waits while it is away.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed class WaitingQueue(RabbitMqOptions rabbitMq, BrokerPatience broker, TimeProvider time, ILogger<WaitingQueue> logger)
    : IWaitingPlace,
        IAsyncDisposable
{
    /// <summary>
    /// How long a message waits before its job is looked at again. The same for all, as a quorum queue looks only at its first message.
    /// </summary>
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly RecentIds _noted = new(time, TimeSpan.FromHours(1), capacity: 10_000);
    private volatile int _waiting;
    private IConnection? _connection;
    private IChannel? _channel;

    /// <summary>
    /// Arguments of the queue. Passing on is confirmed by the queue that gets the message (at least once), so that none is lost on the way.
    /// </summary>
    public static Dictionary<string, object?> Arguments { get; } =
        new()
        {
            ["x-queue-type"] = "quorum",
            ["x-message-ttl"] = (long)Wait.TotalMilliseconds,
            ["x-dead-letter-exchange"] = Lane.Resumed.Queue,
            ["x-dead-letter-strategy"] = "at-least-once",
            ["x-overflow"] = "reject-publish",
        };

    /// <summary>Makes the queue if it is missing.</summary>
    public static Task DeclareAsync(IChannel channel, CancellationToken cancellationToken) =>
        channel.QueueDeclareAsync(
            QueueNames.WaitingGenerationJobs,
            durable: true,
            exclusive: false,
            autoDelete: false,
            Arguments,
            cancellationToken: cancellationToken
        );

    /// <inheritdoc/>
    public int WaitingCount => _waiting;

    /// <inheritdoc/>
    public async Task<bool> PutAwayAsync(Guid jobId, ReceiveContext message, CancellationToken deliveryLost)
    {
        var isTold = false;
        await broker.RunAsync(
            async () =>
            {
                try
                {
                    await PublishAsync(message, deliveryLost);
                }
                catch (Exception exception) when (!isTold && BrokerPatience.IsRefusal(exception))
                {
                    logger.MessageNotPutAway(jobId, exception.Message);
                    isTold = true;
                    throw;
                }
            },
            deliveryLost
        );
        Note(jobId);
        return true;
    }

    /// <inheritdoc/>
    public async Task CountAsync(CancellationToken cancellationToken)
    {
        try
        {
            _waiting = (int)
                await WithChannelAsync(
                    channel => channel.MessageCountAsync(QueueNames.WaitingGenerationJobs, cancellationToken),
                    cancellationToken
                );
        }
        catch (Exception exception) when (exception is ExpectedFailureException || BrokerFailure.IsOne(exception))
        {
            // Whoever watches the broker says that it is away.
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _turn.Dispose();
    }

    /// <summary>Returns when the broker has a copy of the message, so that the delivery can be acknowledged.</summary>
    private async Task PublishAsync(ReceiveContext message, CancellationToken cancellationToken)
    {
        var properties = message.TryGetPayload(out RabbitMqBasicConsumeContext? delivery)
            ? new BasicProperties(delivery.Properties)
            : new BasicProperties { ContentType = message.ContentType?.MediaType };
        properties.Persistent = true;
        properties.ClearExpiration();
        properties.Headers = properties.Headers?.Where(header => !BrokerHeaders.Contains(header.Key)).ToDictionary();
        await WithChannelAsync(
            async channel =>
            {
                await channel.BasicPublishAsync(
                    exchange: "",
                    QueueNames.WaitingGenerationJobs,
                    mandatory: true,
                    properties,
                    message.Body.GetBytes(),
                    cancellationToken
                );
                return true;
            },
            cancellationToken
        );
    }

    /// <summary>A message may wait many times; one line is enough.</summary>
    private void Note(Guid jobId)
    {
        if (!_noted.Contains(jobId))
        {
            _noted.Add(jobId);
            logger.JobHeldElsewhere(jobId);
        }
    }

    private async Task<T> WithChannelAsync<T>(Func<IChannel, Task<T>> use, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await use(await OpenAsync(cancellationToken));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            await CloseAsync();
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<IChannel> OpenAsync(CancellationToken cancellationToken)
    {
        if (_channel is { IsOpen: true } open)
        {
            return open;
        }

        await CloseAsync();
        _connection = await PlainConnection.OpenAsync(rabbitMq, cancellationToken);
        _channel = await _connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true),
            cancellationToken
        );
        await DeclareAsync(_channel, cancellationToken); // also if somebody has deleted it
        return _channel;
    }

    private async Task CloseAsync()
    {
        if (Interlocked.Exchange(ref _channel, null) is { } channel)
        {
            await channel.DisposeAsync();
        }

        if (Interlocked.Exchange(ref _connection, null) is { } connection)
        {
            await connection.DisposeAsync();
        }
    }
}
