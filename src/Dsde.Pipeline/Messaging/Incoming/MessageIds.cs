namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>
/// What a message says about itself that is passed on: ids, and when it was sent. Addresses and headers of a stranger's envelope are not
/// followed.
/// </summary>
internal readonly record struct MessageIds(Guid? MessageId, Guid? CorrelationId, Guid? ConversationId)
{
    /// <summary>When it was sent, UTC, by the sender's clock.</summary>
    public DateTime? SentTime { get; init; }

    /// <summary>These, and those of <paramref name="other"/> that are missing.</summary>
    public MessageIds Or(MessageIds other) =>
        new(MessageId ?? other.MessageId, CorrelationId ?? other.CorrelationId, ConversationId ?? other.ConversationId)
        {
            SentTime = SentTime ?? other.SentTime,
        };
}
