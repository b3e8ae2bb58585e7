namespace Dsde.Engine;

/// <summary>A model's template makes no prompt of a chat, or one that would not show the model all of it.</summary>
/// <param name="message">Why, for people.</param>
/// <param name="part">What of the chat it is about.</param>
/// <param name="innerException">What the template ran into.</param>
public sealed class ChatRefusedException(string message, ChatPart part = ChatPart.Turns, Exception? innerException = null)
    : NotSupportedException(message, innerException)
{
    /// <summary>What of the chat it is about.</summary>
    public ChatPart Part => part;
}
