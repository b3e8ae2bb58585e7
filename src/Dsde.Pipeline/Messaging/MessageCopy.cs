using MassTransit;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// Properties of a message that is sent on: as its sender set them, without what the broker has added on its way, and without what it acts
/// on. It refuses a message that names another user than the one who sends it, and gives it to queues that <c>CC</c> names, so that it
/// would look as if it had a queue of its own.
/// </summary>
internal static class MessageCopy
{
    private static readonly string[] Orders = ["CC", "BCC"];
    private static readonly string[] BrokerHeaders = ["x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count"];

    /// <summary>Of a message that was taken from a queue.</summary>
    /// <param name="properties">As it came.</param>
    /// <param name="isDropped">Further headers that the copy is not to have.</param>
    public static BasicProperties Of(IReadOnlyBasicProperties properties, Func<string, bool>? isDropped = null)
    {
        var copy = new BasicProperties(properties)
        {
            Persistent = true,
            Headers = properties.Headers?.Where(header => !IsBrokers(header.Key) && isDropped?.Invoke(header.Key) != true).ToDictionary(),
        };
        copy.ClearUserId();
        return copy;
    }

    /// <summary>Of a message that is being dealt with.</summary>
    public static BasicProperties Of(ReceiveContext message, Func<string, bool>? isDropped = null) =>
        message.TryGetPayload(out RabbitMqBasicConsumeContext? delivery)
            ? Of(delivery.Properties, isDropped)
            : new BasicProperties { ContentType = message.ContentType?.MediaType, Persistent = true };

    private static bool IsBrokers(string name) =>
        Orders.Contains(name, StringComparer.Ordinal)
        || BrokerHeaders.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}
