namespace Dsde.Pipeline.Messaging;

/// <summary>The broker takes no message of that size.</summary>
/// <param name="bytes">The message's, with its envelope.</param>
/// <param name="limit">The most that the broker takes.</param>
internal sealed class MessageTooLargeException(long bytes, long limit)
    : Exception($"The message has {bytes} bytes, and the broker takes at most {limit} (max_message_size).")
{
    /// <summary>Of the message, with its envelope.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>The most that the broker takes.</summary>
    public long Limit { get; } = limit;
}
