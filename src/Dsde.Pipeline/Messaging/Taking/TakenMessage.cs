using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging.Taking;

/// <summary>A message taken from a queue. Unless it is acknowledged it goes back to its place, also if this program is killed.</summary>
/// <param name="queue">Where it was.</param>
/// <param name="position">1 for the message that has been there longest.</param>
/// <param name="message">What it is.</param>
/// <param name="channel">What it was taken by.</param>
internal sealed class TakenMessage(string queue, int position, BasicGetResult message, IChannel channel)
{
    /// <summary>Where it was.</summary>
    public string Queue => queue;

    /// <summary>1 for the message that has been there longest.</summary>
    public int Position => position;

    /// <summary>What the message says of itself.</summary>
    public IReadOnlyBasicProperties Properties => message.BasicProperties;

    /// <summary>By which it came to the queue.</summary>
    public string RoutingKey => message.RoutingKey;

    /// <summary>Its body; gone with the next message.</summary>
    public ReadOnlyMemory<byte> Body => message.Body;

    /// <summary>Removes it from its queue, if something has been done about it.</summary>
    public ValueTask AcknowledgeAsync(CancellationToken cancellationToken) =>
        channel.BasicAckAsync(message.DeliveryTag, multiple: false, cancellationToken);
}
