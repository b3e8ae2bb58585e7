using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.EndToEnd.Tests;

/// <summary>Sends whatever a test wants to send, straight to the broker.</summary>
internal sealed class RawProducer : IAsyncDisposable
{
    /// <summary>The exchange of jobs.</summary>
    public const string Exchange = "dsde-generation-jobs";

    /// <summary>Queue of the model that workers under test serve.</summary>
    public const string Jobs = "dsde-generation-jobs.dsde-demo";

    /// <summary>Its queue of jobs that overtake.</summary>
    public const string High = "dsde-generation-jobs.dsde-demo.high";
    public const string Unrouted = "dsde-generation-jobs-unrouted";
    public const string Parked = "dsde-generation-jobs-parked";
    public const string Errors = "dsde-generation-jobs_error";
    public const string Dead = "dsde-generation-jobs-dead";

    private readonly IConnection _connection;
    private readonly IChannel _channel;

    private RawProducer(IConnection connection, IChannel channel)
    {
        _connection = connection;
        _channel = channel;
    }

    public static async Task<RawProducer> OpenAsync(int port, string virtualHost, string user = "guest")
    {
        var connection = await new ConnectionFactory
        {
            HostName = "127.0.0.1",
            Port = port,
            VirtualHost = virtualHost,
            UserName = user,
            Password = user,
        }.CreateConnectionAsync();
        return new RawProducer(
            connection,
            await connection.CreateChannelAsync(
                new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true)
            )
        );
    }

    /// <summary>Sends to the exchange of jobs; returns when the broker has it.</summary>
    public async Task SendByKeyAsync(string routingKey, string body, BasicProperties? properties = null) =>
        await _channel.BasicPublishAsync(
            Exchange,
            routingKey,
            mandatory: true,
            properties ?? new BasicProperties(),
            Encoding.UTF8.GetBytes(body),
            TestContext.Current.CancellationToken
        );

    /// <summary>Sends to a queue; returns when the broker has it.</summary>
    public async Task SendAsync(string queue, ReadOnlyMemory<byte> body, BasicProperties? properties = null) =>
        await _channel.BasicPublishAsync(
            "",
            queue,
            mandatory: true,
            properties ?? new BasicProperties(),
            body,
            TestContext.Current.CancellationToken
        );

    public Task SendAsync(string queue, string body, BasicProperties? properties = null) =>
        SendAsync(queue, Encoding.UTF8.GetBytes(body), properties);

    /// <summary>Makes a queue that nobody has bound.</summary>
    public async Task MakeQueueAsync(string queue, Dictionary<string, object?> arguments) =>
        await _channel.QueueDeclareAsync(
            queue,
            durable: true,
            exclusive: false,
            autoDelete: false,
            arguments,
            cancellationToken: TestContext.Current.CancellationToken
        );

    /// <summary>Messages that wait in a queue; 0 if there is none.</summary>
    public async Task<uint> CountAsync(string queue)
    {
        await using var channel = await _connection.CreateChannelAsync(cancellationToken: TestContext.Current.CancellationToken);
        try
        {
            return await channel.MessageCountAsync(queue, TestContext.Current.CancellationToken);
        }
        catch (OperationInterruptedException)
        {
            return 0;
        }
    }

    /// <summary>Consumers that are attached to a queue.</summary>
    public async Task<uint> CountConsumersAsync(string queue) =>
        await _channel.ConsumerCountAsync(queue, TestContext.Current.CancellationToken);

    /// <summary>Takes a message from a queue; null if there is none, or no queue.</summary>
    public async Task<BasicGetResult?> TryTakeAsync(string queue) =>
        await CountAsync(queue) == 0 ? null : await _channel.BasicGetAsync(queue, autoAck: true, TestContext.Current.CancellationToken);

    /// <summary>Waits until that many messages wait in a queue.</summary>
    public async Task WaitForCountAsync(string queue, uint count, TimeSpan patience)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(patience);
        while (await CountAsync(queue) is var found && found != count)
        {
            limit.IsCancellationRequested.ShouldBeFalse($"{queue} has {found} messages, not {count}.");
            await Task.Delay(100, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
