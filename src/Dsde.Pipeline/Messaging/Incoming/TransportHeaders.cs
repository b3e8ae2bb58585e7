using System.Collections;
using Dsde.Pipeline.Telemetry;
using MassTransit;
using MassTransit.RabbitMqTransport;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>The AMQP properties of a message that came.</summary>
internal static class TransportHeaders
{
    /// <summary>
    /// All headers of a message go in one frame of usually 128 KiB, and the broker closes a connection that sends a larger one. A message
    /// that is moved to the error queue gets more headers, so what comes with too many would come for ever.
    /// </summary>
    public const int MaxBytes = 32 << 10;

    private const string RemovedName = "dsde-headers-removed";

    /// <summary>Takes a message's headers away if they are too large; nothing here needs them.</summary>
    public static void Bound(ReceiveContext context)
    {
        if (context.TryGetPayload(out RabbitMqBasicConsumeContext? message) && message.Properties.Headers is { Count: > 0 } headers)
        {
            Bound(headers);
        }
    }

    /// <summary>Takes headers away if they are too large, and leaves one that says so.</summary>
    public static void Bound(IDictionary<string, object?> headers)
    {
        if (Measure(headers) is var bytes and > MaxBytes)
        {
            headers.Clear();
            headers[RemovedName] = bytes;
        }
    }

    /// <summary>The ids that a message without an envelope has.</summary>
    public static MessageIds ReadIds(ReceiveContext context) =>
        new(
            ReadId(context, MessageHeaders.MessageId) ?? ReadId(context, MessageHeaders.TransportMessageId),
            ReadId(context, MessageHeaders.CorrelationId),
            ReadId(context, MessageHeaders.ConversationId)
        );

    private static Guid? ReadId(ReceiveContext context, string name) =>
        context.TransportHeaders.TryGetHeader(name, out var value) && Guid.TryParse(value as string, out var id) ? id : null;

    /// <summary>About as many bytes as it takes in a frame.</summary>
    private static long Measure(object? value) =>
        value switch
        {
            null => 1,
            byte[] bytes => bytes.Length + 5L,
            string text => System.Text.Encoding.UTF8.GetByteCount(text) + 5L,
            IDictionary<string, object?> table => 5 + table.Sum(entry => Measure(entry.Key) + Measure(entry.Value)),
            IDictionary table => 5 + table.Keys.Cast<object>().Sum(Measure) + table.Values.Cast<object?>().Sum(Measure),
            IEnumerable list => 5 + list.Cast<object?>().Sum(Measure),
            _ => 17,
        };
}
