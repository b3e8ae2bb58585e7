using MassTransit;
using MassTransit.Context;
using MassTransit.Serialization;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>What MassTransit gets to know of a message besides what it says: ids.</summary>
internal sealed class IncomingMessageContext(MessageIds ids, ReceiveContext received) : MessageContext
{
    /// <inheritdoc/>
    public Guid? MessageId => ids.MessageId;

    /// <inheritdoc/>
    public Guid? RequestId => null;

    /// <inheritdoc/>
    public Guid? CorrelationId => ids.CorrelationId;

    /// <inheritdoc/>
    public Guid? ConversationId => ids.ConversationId;

    /// <inheritdoc/>
    public Guid? InitiatorId => null;

    /// <inheritdoc/>
    public DateTime? ExpirationTime => null;

    /// <inheritdoc/>
    public Uri? SourceAddress => null;

    /// <inheritdoc/>
    public Uri? DestinationAddress => received.InputAddress;

    /// <inheritdoc/>
    public Uri? ResponseAddress => null;

    /// <inheritdoc/>
    public Uri? FaultAddress => null;

    /// <inheritdoc/>
    public DateTime? SentTime => ids.SentTime;

    /// <inheritdoc/>
    public Headers Headers => EmptyHeaders.Instance;

    /// <inheritdoc/>
    public HostInfo Host => MassTransit.Metadata.HostMetadataCache.Empty;

    /// <summary>The context that consumers get.</summary>
    public static ConsumeContext Create<T>(ReceiveContext received, T message, MessageIds ids)
        where T : class =>
        new BodyConsumeContext(
            received,
            new SystemTextJsonSerializerContext(
                SystemTextJsonMessageSerializer.Instance,
                SystemTextJsonMessageSerializer.Options,
                SystemTextJsonMessageSerializer.JsonContentType,
                new IncomingMessageContext(ids, received),
                [MessageUrn.ForTypeString<T>()],
                message: message
            )
        );
}
