using MassTransit;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging;

/// <summary>Properties of a message that is sent on: as its sender set them, without what the broker has added on its way.</summary>
internal static class MessageCopy
{
    private static readonly string[] BrokerHeaders = ["x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count"];

    /// <summary>Of a message that was taken from a queue.</summary>
    /// <param name="properties">As it came.</param>
    /// <param name="isDropped">Further headers that the copy is not to have.</param>
    public static BasicProperties Of(IReadOnlyBasicProperties properties, Func<string, bool>? isDropped = null) =>
        new(properties)
        {
            Persistent = true,
            Headers = properties.Headers?.Where(header => !IsBrokers(header.Key) && isDropped?.Invoke(header.Key) != true).ToDictionary(),
        };

    /// <summary>Of a message that is being dealt with.</summary>
    public static BasicProperties Of(ReceiveContext message, Func<string, bool>? isDropped = null) =>
        message.TryGetPayload(out RabbitMqBasicConsumeContext? delivery)
            ? Of(delivery.Properties, isDropped)
            : new BasicProperties { ContentType = message.ContentType?.MediaType, Persistent = true };

    private static bool IsBrokers(string name) => BrokerHeaders.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}
