using System.Collections;
using System.Text;
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

    private const long LatestTimestamp = 253_370_764_800; // the year 9999, in seconds

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

    /// <summary>The ids, and the time, that a message without an envelope has.</summary>
    public static MessageIds ReadIds(ReceiveContext context) =>
        new(
            ReadId(context, MessageHeaders.MessageId) ?? ReadId(context, MessageHeaders.TransportMessageId),
            ReadId(context, MessageHeaders.CorrelationId),
            ReadId(context, MessageHeaders.ConversationId)
        )
        {
            SentTime = ReadTimestamp(context),
        };

    /// <summary>AMQP's timestamp counts seconds.</summary>
    private static DateTime? ReadTimestamp(ReceiveContext context) =>
        context.TryGetPayload(out RabbitMqBasicConsumeContext? message)
        && message.Properties.IsTimestampPresent()
        && message.Properties.Timestamp.UnixTime is > 0 and < LatestTimestamp and var seconds
            ? DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime
            : null;

    private static Guid? ReadId(ReceiveContext context, string name) =>
        context.TransportHeaders.TryGetHeader(name, out var value) && Guid.TryParse(value as string, out var id) ? id : null;

    /// <summary>
    /// About as many bytes as it takes in a frame, as far as those are counted that are allowed. Tables may be nested as deep as a frame
    /// has room for, which is deeper than a stack.
    /// </summary>
    private static long Measure(object? value)
    {
        var bytes = 0L;
        var left = new Stack<object?>([value]);
        while (bytes <= MaxBytes && left.TryPop(out var next))
        {
            bytes += next switch
            {
                null => 1,
                byte[] binary => binary.Length + 5L,
                string text => Encoding.UTF8.GetByteCount(text) + 5L,
                IEnumerable => 5,
                _ => 17,
            };
            if (next is IDictionary table)
            {
                PushAll(left, table.Keys);
                PushAll(left, table.Values);
            }
            else if (next is IEnumerable list and not string and not byte[])
            {
                PushAll(left, list);
            }
        }

        return bytes;
    }

    private static void PushAll(Stack<object?> stack, IEnumerable items)
    {
        foreach (var item in items)
        {
            stack.Push(item);
        }
    }
}
