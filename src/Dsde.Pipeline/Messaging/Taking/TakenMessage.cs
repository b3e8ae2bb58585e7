using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging.Taking;

/// <summary>A message taken from a queue. Unless it is acknowledged it goes back to its place, also if this program is killed.</summary>
/// <param name="queue">Where it was.</param>
/// <param name="position">1 for the message that has been there longest.</param>
/// <param name="delivery">What it is.</param>
/// <param name="channel">What it was taken by.</param>
internal sealed class TakenMessage(string queue, int position, Deliveries.Delivery delivery, IChannel channel)
{
    /// <summary>Where it was.</summary>
    public string Queue => queue;

    /// <summary>1 for the message that has been there longest.</summary>
    public int Position => position;

    /// <summary>What the message says of itself.</summary>
    public IReadOnlyBasicProperties Properties => delivery.Properties;

    /// <summary>By which it came to the queue.</summary>
    public string RoutingKey => delivery.RoutingKey;

    /// <summary>Its body.</summary>
    public ReadOnlyMemory<byte> Body => delivery.Body;

    /// <summary>Whether it is out of its queue.</summary>
    public bool IsAcknowledged { get; private set; }

    /// <summary>Removes it from its queue, if something has been done about it.</summary>
    public async ValueTask AcknowledgeAsync(CancellationToken cancellationToken)
    {
        await channel.BasicAckAsync(delivery.Tag, multiple: false, cancellationToken);
        IsAcknowledged = true;
    }
}
