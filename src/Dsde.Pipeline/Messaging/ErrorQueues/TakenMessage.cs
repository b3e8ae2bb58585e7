using MassTransit;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging.ErrorQueues;

/// <summary>
/// A message taken from an error queue. Unless it is acknowledged it goes back to its place, also if this program is killed.
/// </summary>
internal sealed class TakenMessage(ErrorQueue queue, FailedMessage description, BasicGetResult message, IChannel channel)
{
    private static readonly string[] WorkerHeaders = ["MT-Fault-", "MT-Host-", MessageHeaders.Reason, MessageHeaders.RedeliveryCount];

    /// <summary>What it is.</summary>
    public FailedMessage Description => description;

    /// <summary>Removes it from its queue.</summary>
    public ValueTask AcknowledgeAsync(CancellationToken cancellationToken) =>
        channel.BasicAckAsync(message.DeliveryTag, multiple: false, cancellationToken);

    /// <summary>
    /// Sends it to the workers again, then removes it: whatever happens in between, it is in at least one of both queues, at worst in both.
    /// </summary>
    /// <param name="publisher">With publisher confirms.</param>
    /// <param name="cancellationToken">To give up.</param>
    public async Task SendAgainAsync(IChannel publisher, CancellationToken cancellationToken)
    {
        var properties = new BasicProperties(message.BasicProperties)
        {
            Persistent = true,
            Headers = message.BasicProperties.Headers?.Where(IsOriginal).ToDictionary(),
        };
        properties.ClearExpiration();
        await publisher.BasicPublishAsync(queue.Exchange, "", mandatory: true, properties, message.Body, cancellationToken);
        await AcknowledgeAsync(cancellationToken);
    }

    private static bool IsOriginal(KeyValuePair<string, object?> header) =>
        !BrokerHeaders.Contains(header.Key)
        && !WorkerHeaders.Any(prefix => header.Key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}
