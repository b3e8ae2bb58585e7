namespace Dsde.Engine;

/// <summary>Text and chats into token ids of the target model, and back. Safe for concurrent use.</summary>
public interface IPromptEncoder
{
    /// <summary>
    /// Bytes of text, in UTF-8, that the longest token stands for: more text than that per token can't be encoded, whatever it is (but for
    /// what a model's preparation of texts leaves out).
    /// </summary>
    int MaxTokenBytes { get; }

    /// <summary>
    /// Ids of a plain prompt, with the beginning-of-text token where the model expects one and the prompt does not begin with it. Names of
    /// special tokens stand for these tokens, as in Hugging Face: a chat template that the sender applied works.
    /// </summary>
    /// <exception cref="ArgumentException">The tokenizer's pattern takes too long for this text.</exception>
    IReadOnlyList<int> Encode(string prompt);

    /// <summary>
    /// Ids of a chat rendered with the model's template, ready for the assistant's answer. What the chat and the inputs say never becomes a
    /// special token.
    /// </summary>
    /// <exception cref="ChatRefusedException">The model folder has no chat template, or one that can't be run, or one that refuses such a
    /// chat or would not show the model all of it.</exception>
    /// <exception cref="ArgumentException">As for <see cref="Encode"/>.</exception>
    IReadOnlyList<int> EncodeChat(IReadOnlyList<ChatTurn> turns, ChatInputs? inputs = null);

    /// <summary>Text of token ids, special tokens left out.</summary>
    string Decode(IReadOnlyList<int> tokenIds);

    /// <summary>
    /// What a token stands for, in UTF-8, which may begin or end within a character; of a special token its name. Nothing for ids without a
    /// token.
    /// </summary>
    ReadOnlySpan<byte> BytesOf(int tokenId);

    /// <summary>Whether a token is a special one, which adds nothing to the text.</summary>
    bool IsSpecial(int tokenId);
}
