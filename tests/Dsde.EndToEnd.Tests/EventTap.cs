using System.Collections.Concurrent;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Dsde.EndToEnd.Tests;

/// <summary>Another service, with nothing but an AMQP client: it publishes raw JSON and listens to events.</summary>
internal sealed class EventTap : IAsyncDisposable
{
    private readonly IConnection _connection;
    private readonly IChannel _channel;
    private readonly SemaphoreSlim _arrived = new(0);

    private EventTap(IConnection connection, IChannel channel)
    {
        _connection = connection;
        _channel = channel;
    }

    /// <summary>Events so far: type, message id, body.</summary>
    public ConcurrentQueue<(string Type, string MessageId, JsonElement Message)> Events { get; } = new();

    public static async Task<EventTap> OpenAsync(int port, string virtualHost)
    {
        var factory = new ConnectionFactory { HostName = "127.0.0.1", Port = port, VirtualHost = virtualHost };
        var connection = await factory.CreateConnectionAsync();
        var tap = new EventTap(connection, await connection.CreateChannelAsync());
        await tap.ListenAsync("GenerationJobCompleted", "GenerationJobFailed", "GenerationJobCancelled", "GenerationBatchCompleted");
        return tap;
    }

    public async Task PublishAsync(string body, string contentType = "application/json") => await _channel.BasicPublishAsync(
        "dsde-generation-jobs", "", mandatory: true, new BasicProperties { ContentType = contentType, Persistent = true }, System.Text.Encoding.UTF8.GetBytes(body));

    /// <summary>Waits until that many events have come.</summary>
    public async Task WaitForAsync(int count)
    {
        while (Events.Count < count)
        {
            (await _arrived.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken)).ShouldBeTrue($"{Events.Count} of {count} events came.");
        }
    }

    /// <summary>Takes a message from a queue, waiting for it.</summary>
    public async Task<BasicGetResult> TakeAsync(string queue)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (true)
        {
            await using var channel = await _connection.CreateChannelAsync(cancellationToken: patience.Token);
            try
            {
                if (await channel.BasicGetAsync(queue, autoAck: true, patience.Token) is { } message)
                {
                    return message;
                }
            }
            catch (RabbitMQ.Client.Exceptions.OperationInterruptedException)
            {
                // the queue is not there yet
            }

            await Task.Delay(100, patience.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
        _arrived.Dispose();
    }

    private async Task ListenAsync(params string[] types)
    {
        var queue = await _channel.QueueDeclareAsync();
        foreach (var type in types)
        {
            await _channel.ExchangeDeclareAsync($"Dsde.Contracts:{type}", ExchangeType.Fanout, durable: true);
            await _channel.QueueBindAsync(queue.QueueName, $"Dsde.Contracts:{type}", "");
        }

        var consumer = new AsyncEventingBasicConsumer(_channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            var envelope = JsonDocument.Parse(delivery.Body.ToArray()).RootElement;
            Events.Enqueue((delivery.Exchange.Split(':')[1], envelope.GetProperty("messageId").GetString() ?? "", envelope.GetProperty("message").Clone()));
            _arrived.Release();
            return Task.CompletedTask;
        };
        await _channel.BasicConsumeAsync(queue.QueueName, autoAck: true, consumer);
    }
}
