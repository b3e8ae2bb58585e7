using System.Diagnostics;
using System.Text;
using Dsde.Pipeline.Messaging.Incoming;
using Dsde.Pipeline.Telemetry;
using MassTransit;

namespace Dsde.Pipeline.Messaging;

/// <summary>What the events about a job refer to: the submitter's correlation id and trace.</summary>
/// <param name="CorrelationId">As the submitter wrote it; null if it gave none.</param>
/// <param name="Trace">The submitter's span; default for none.</param>
internal readonly record struct MessageOrigin(string? CorrelationId, ActivityContext Trace)
{
    /// <summary>The conversation that the job is part of, as MassTransit has it; null if it said nothing of one.</summary>
    public Guid? ConversationId { get; init; }

    /// <summary>What set the event off, as MassTransit has it: the job's correlation id.</summary>
    public Guid? InitiatorId { get; init; }

    /// <summary>Header of W3C trace context, which anybody may send.</summary>
    public const string TraceParentHeader = "traceparent";

    private const string TraceStateHeader = "tracestate";

    /// <summary>What MassTransit 8 has instead: it reads no other header.</summary>
    private const string MassTransitTraceHeader = "MT-Activity-Id";

    private const int MostPropertyBytes = 255;
    private const int LongestTraceState = 512;

    /// <summary>Reads it from a message; what is not as it should be counts as absent.</summary>
    public static MessageOrigin Of(ConsumeContext context) =>
        Of(context.ReceiveContext.TransportHeaders, context.CorrelationId) with
        {
            ConversationId = context.ConversationId,
            InitiatorId = context.CorrelationId,
        };

    /// <param name="headers">Of the transport.</param>
    /// <param name="envelopeCorrelationId">What the envelope says, if there is one.</param>
    public static MessageOrigin Of(Headers headers, Guid? envelopeCorrelationId)
    {
        // Bytes that are no UTF-8 have become longer ones, and the broker takes no more than these.
        var correlationId =
            Find(headers, MessageHeaders.CorrelationId) is { } text && Encoding.UTF8.GetByteCount(text) <= MostPropertyBytes
                ? text
                : envelopeCorrelationId?.ToString();
        return new MessageOrigin(correlationId, FindTrace(headers));
    }

    /// <summary>Addresses an event to whom it concerns.</summary>
    /// <param name="send">The event.</param>
    /// <param name="messageId">Its id, the same however often it is told.</param>
    /// <param name="otherwise">The correlation id if the submitter gave none.</param>
    public void ApplyTo(SendContext send, Guid messageId, Guid otherwise)
    {
        send.MessageId = messageId;
        send.ConversationId = ConversationId ?? send.ConversationId;
        send.InitiatorId = InitiatorId;
        send.CorrelationId =
            CorrelationId is null ? otherwise
            : Guid.TryParse(CorrelationId, out var id) && id.ToString() == CorrelationId ? id
            : null;
        if (send.CorrelationId is null && send.TryGetPayload<RabbitMqSendContext>(out var rabbitMq))
        {
            rabbitMq.BasicProperties.CorrelationId = CorrelationId; // envelopes have room for UUIDs only
        }

        CarryTrace(send);
    }

    /// <summary>Hands the current trace on to who gets a message.</summary>
    public static void CarryTrace(SendContext send)
    {
        if (JobSpans.TraceParent is not { } traceParent)
        {
            return;
        }

        send.Headers.Set(TraceParentHeader, traceParent);
        send.Headers.Set(MassTransitTraceHeader, traceParent);
        if (JobSpans.TraceState is { Length: > 0 } state)
        {
            send.Headers.Set(TraceStateHeader, state);
        }
    }

    private static ActivityContext FindTrace(Headers headers)
    {
        var state = Find(headers, TraceStateHeader) is { Length: <= LongestTraceState } text ? text : null;
        return ActivityContext.TryParse(
            Find(headers, TraceParentHeader) ?? Find(headers, MassTransitTraceHeader),
            state,
            isRemote: true,
            out var trace
        )
            ? trace
            : default;
    }

    private static string? Find(Headers headers, string name) =>
        headers.TryGetHeader(name, out var value) && value is string { Length: > 0 } text ? text : null;
}
