using System.Collections.Concurrent;
using System.Text.Json;
using Dsde.Contracts;
using Dsde.Pipeline.Telemetry;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Dsde.EndToEnd.Tests;

/// <summary>
/// Another service, with nothing but an AMQP client: it publishes raw JSON and listens to events. Its queue is durable and it connects
/// again after every interruption, so that no event is lost to it; one may come to it twice if the broker is interrupted.
/// </summary>
internal sealed class EventTap : IAsyncDisposable
{
    private static readonly string[] EventTypes =
    [
        "GenerationJobCompleted",
        "GenerationJobFailed",
        "GenerationJobCancelled",
        "GenerationBatchCompleted",
    ];
    private static readonly TimeSpan ReconnectPause = TimeSpan.FromMilliseconds(200);

    /// <summary>A broker that was killed while it answered, or is just starting, may owe an answer for ever: then once more.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ConnectionFactory _factory;
    private readonly string _queue = $"tap-{Guid.NewGuid():N}";
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _loop;

    private EventTap(int port, string virtualHost)
    {
        _factory = new ConnectionFactory
        {
            HostName = "127.0.0.1",
            Port = port,
            VirtualHost = virtualHost,
            AutomaticRecoveryEnabled = false,
            RequestedConnectionTimeout = Patience,
            HandshakeContinuationTimeout = Patience,
            ContinuationTimeout = Patience,
            SocketReadTimeout = Patience,
            SocketWriteTimeout = Patience,
        };
        _loop = Task.Run(ListenForEverAsync);
    }

    /// <summary>Events so far.</summary>
    public ConcurrentQueue<TappedEvent> Events { get; } = new();

    public static async Task<EventTap> OpenAsync(int port, string virtualHost)
    {
        var tap = new EventTap(port, virtualHost);
        await tap._listening.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        return tap;
    }

    /// <summary>Sends a job; when it returns, the broker has it.</summary>
    public Task PublishAsync(string body, string contentType = "application/json", string queue = "dsde-generation-jobs") =>
        PublishToAsync(queue, body, new BasicProperties { ContentType = contentType, Persistent = true });

    /// <summary>Publishes to an exchange; returns when the broker has the message in a queue.</summary>
    public async Task PublishToAsync(string exchange, string body, BasicProperties? properties = null)
    {
        await using var connection = await _factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true)
        );
        await channel.BasicPublishAsync(
            exchange,
            "",
            mandatory: true,
            properties ?? new BasicProperties { ContentType = "application/json", Persistent = true },
            System.Text.Encoding.UTF8.GetBytes(body)
        );
    }

    /// <summary>Waits for an event.</summary>
    public async Task<TappedEvent> WaitForAsync(Func<TappedEvent, bool> isIt)
    {
        while (true)
        {
            if (Events.FirstOrDefault(isIt) is { } found)
            {
                return found;
            }

            (await _arrived.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken)).ShouldBeTrue(
                $"It did not come; {Events.Count} others did."
            );
        }
    }

    /// <summary>Waits for the end of a job.</summary>
    public Task<TappedEvent> WaitForJobAsync(Guid jobId) => WaitForAsync(item => item.JobId == jobId);

    /// <summary>Waits until that many events have come.</summary>
    public Task WaitForAsync(int count) => WaitForAsync(count, TimeSpan.FromSeconds(60));

    /// <summary>Waits until that many events have come; patience is for each.</summary>
    public async Task WaitForAsync(int count, TimeSpan patience)
    {
        while (Events.Count < count)
        {
            (await _arrived.WaitAsync(patience, TestContext.Current.CancellationToken)).ShouldBeTrue(
                $"{Events.Count} of {count} events came."
            );
        }
    }

    /// <summary>Waits until what has come is enough; patience is for each event.</summary>
    public async Task WaitUntilAsync(Func<bool> isEnough, TimeSpan patience)
    {
        while (!isEnough())
        {
            (await _arrived.WaitAsync(patience, TestContext.Current.CancellationToken)).ShouldBeTrue(
                $"{Events.Count} events came, and not those that are waited for."
            );
        }
    }

    /// <summary>Takes a message from a queue, waiting for it.</summary>
    public async Task<BasicGetResult> TakeAsync(string queue)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            // asking for a queue that is just being made may cost the whole connection
            await using var connection = await _factory.CreateConnectionAsync(patience.Token);
            await using var channel = await connection.CreateChannelAsync(cancellationToken: patience.Token);
            try
            {
                if (await channel.BasicGetAsync(queue, autoAck: true, patience.Token) is { } message)
                {
                    return message;
                }
            }
            catch (OperationInterruptedException)
            {
                // the queue is not there yet
            }

            await Task.Delay(100, patience.Token);
        }
    }

    /// <summary>Asserts that nothing waits in any of these queues, whether they are there or not.</summary>
    public async Task ShouldBeEmptyAsync(params string[] queues)
    {
        await using var connection = await _factory.CreateConnectionAsync();
        foreach (var queue in queues)
        {
            await using var channel = await connection.CreateChannelAsync();
            try
            {
                (await channel.QueueDeclarePassiveAsync(queue)).MessageCount.ShouldBe(0u, queue);
            }
            catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == 404)
            {
                // there is no such queue
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _loop;
        _end.Dispose();
        _arrived.Dispose();
    }

    private async Task ListenForEverAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                await ListenAsync();
            }
            catch (Exception exception)
                when (!_end.IsCancellationRequested
                    && exception
                        is RabbitMQClientException
                            or IOException
                            or TimeoutException
                            or OperationCanceledException
                            or ObjectDisposedException
                )
            {
                await Task.Delay(ReconnectPause);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Returns, or fails, when the connection has gone.</summary>
    private async Task ListenAsync()
    {
        await using var connection = await _factory.CreateConnectionAsync(_end.Token);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: _end.Token);
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        channel.ChannelShutdownAsync += (_, _) =>
        {
            gone.TrySetResult();
            return Task.CompletedTask;
        };
        await DeclareAsync(channel);
        await channel.BasicQosAsync(0, 100, global: false, _end.Token);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            var envelope = JsonDocument.Parse(delivery.Body.ToArray()).RootElement;
            Events.Enqueue(
                new TappedEvent(
                    delivery.Exchange.Split(':')[1],
                    envelope.GetProperty("messageId").GetString() ?? "",
                    envelope.GetProperty("message")
                )
                {
                    Envelope = envelope,
                    Properties = new BasicProperties(delivery.BasicProperties),
                }
            );
            _arrived.Release();
            await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false);
        };
        await channel.BasicConsumeAsync(_queue, autoAck: false, consumer, _end.Token);
        _listening.TrySetResult();
        await gone.Task.WaitAsync(_end.Token);
    }

    private async Task DeclareAsync(IChannel channel)
    {
        await channel.QueueDeclareAsync(
            _queue,
            durable: true,
            exclusive: false,
            autoDelete: false,
            new Dictionary<string, object?> { ["x-queue-type"] = "quorum" },
            cancellationToken: _end.Token
        );
        foreach (var type in EventTypes)
        {
            await channel.ExchangeDeclareAsync($"Dsde.Contracts:{type}", ExchangeType.Fanout, durable: true, cancellationToken: _end.Token);
            await channel.QueueBindAsync(_queue, $"Dsde.Contracts:{type}", "", cancellationToken: _end.Token);
        }
    }
}
