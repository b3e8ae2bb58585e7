using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.EndToEnd.Tests;

/// <summary>
/// A producer that knows nothing but the exchange: no routing key, no queue. It sends each message until the broker has confirmed it, over
/// a new connection whenever one breaks.
/// </summary>
internal static class PlainProducer
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    public static async Task SendAsync(int port, string virtualHost, IEnumerable<string> bodies)
    {
        var factory = new ConnectionFactory
        {
            HostName = "127.0.0.1",
            Port = port,
            VirtualHost = virtualHost,
            AutomaticRecoveryEnabled = false,
            RequestedConnectionTimeout = Patience,
            ContinuationTimeout = Patience,
        };
        var left = new Queue<string>(bodies);
        while (left.Count > 0)
        {
            try
            {
                await SendAsync(factory, left);
            }
            catch (Exception exception)
                when (!TestContext.Current.CancellationToken.IsCancellationRequested
                    && exception
                        is RabbitMQClientException
                            or IOException
                            or TimeoutException
                            or OperationCanceledException
                            or ObjectDisposedException
                            or System.Threading.Channels.ChannelClosedException
                )
            {
                await Task.Delay(Pause, TestContext.Current.CancellationToken);
            }
        }
    }

    private static async Task SendAsync(ConnectionFactory factory, Queue<string> left)
    {
        var connection = await factory.CreateConnectionAsync(TestContext.Current.CancellationToken);
        try
        {
            await SendAsync(connection, left);
        }
        finally
        {
            // the client library may hang in closing what breaks at the same time
            await Task.WhenAny(connection.DisposeAsync().AsTask(), Task.Delay(Patience, CancellationToken.None));
        }
    }

    private static async Task SendAsync(IConnection connection, Queue<string> left)
    {
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true),
            TestContext.Current.CancellationToken
        );
        while (left.TryPeek(out var body))
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(Patience);
            await channel.BasicPublishAsync(
                RawProducer.Exchange,
                routingKey: "",
                mandatory: true,
                new BasicProperties { Persistent = true },
                Encoding.UTF8.GetBytes(body),
                limit.Token
            );
            left.Dequeue();
        }
    }
}
