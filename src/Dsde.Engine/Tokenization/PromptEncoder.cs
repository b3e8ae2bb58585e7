namespace Dsde.Engine.Tokenization;

/// <inheritdoc/>
internal sealed class PromptEncoder(ModelTokenizer tokenizer, TimeProvider time) : IPromptEncoder
{
    /// <inheritdoc/>
    public int MaxTokenBytes => tokenizer.MaxTokenBytes;

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string prompt)
    {
        var ids = tokenizer.EncodeWithSpecialTokens(prompt);
        return ids.Take(tokenizer.PrefixIds.Count).SequenceEqual(tokenizer.PrefixIds) ? ids : [.. tokenizer.PrefixIds, .. ids];
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> EncodeChat(IReadOnlyList<ChatTurn> turns, ChatInputs? inputs = null) =>
        tokenizer.Encode(tokenizer.ChatTemplates.Render(turns, inputs ?? ChatInputs.None, time));

    /// <inheritdoc/>
    public string Decode(IReadOnlyList<int> tokenIds) => tokenizer.Decode(tokenIds);

    /// <inheritdoc/>
    public ReadOnlySpan<byte> BytesOf(int tokenId) => tokenizer.BytesOf(tokenId);

    /// <inheritdoc/>
    public bool IsSpecial(int tokenId) => tokenizer.IsSpecial(tokenId);
}
