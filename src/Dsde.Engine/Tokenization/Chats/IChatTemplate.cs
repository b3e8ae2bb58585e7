namespace Dsde.Engine.Tokenization.Chats;

/// <summary>The form in which a family of models was taught chats.</summary>
internal interface IChatTemplate
{
    /// <summary>Name for people.</summary>
    string Name { get; }

    /// <summary>Texts that must be tokens of their own. Content never becomes one of them.</summary>
    IReadOnlyList<string> Markers { get; }

    /// <summary>Writes a chat up to where the assistant's answer begins.</summary>
    /// <exception cref="NotSupportedException">The family has no form for such a chat.</exception>
    void Write(IReadOnlyList<ChatTurn> turns, ChatWriter chat);
}
