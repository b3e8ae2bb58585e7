namespace Dsde.Engine;

/// <summary>Text and chats into token ids of the target model. Safe for concurrent use.</summary>
public interface IPromptEncoder
{
    /// <summary>Ids of a plain prompt, with the beginning-of-text token where the model expects one.</summary>
    IReadOnlyList<int> Encode(string prompt);

    /// <summary>Ids of a chat rendered with the model's template, ready for the assistant's answer.</summary>
    /// <exception cref="NotSupportedException">The model folder has no chat template, or one that is not known; the message names it.</exception>
    IReadOnlyList<int> EncodeChat(IReadOnlyList<ChatTurn> turns);

    /// <summary>Text of token ids, special tokens left out.</summary>
    string Decode(IReadOnlyList<int> tokenIds);
}
