namespace Dsde.Engine.Tokenization;

/// <inheritdoc/>
internal sealed class PromptEncoder(HuggingFaceTokenizer tokenizer) : IPromptEncoder
{
    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string prompt) => [.. tokenizer.PrefixIds, .. tokenizer.Encode(prompt)];

    /// <inheritdoc/>
    public IReadOnlyList<int> EncodeChat(IReadOnlyList<ChatTurn> turns) => tokenizer.ChatTemplate.Render(turns, tokenizer.Encode);

    /// <inheritdoc/>
    public string Decode(IReadOnlyList<int> tokenIds)
    {
        var text = tokenizer.CreateAssembler([]);
        foreach (var id in tokenIds)
        {
            text.Append(id);
        }

        return text.Text;
    }
}
