namespace Dsde.Engine.Tokenization;

/// <summary>What a tokenizer.json says, as far as it is understood.</summary>
internal sealed record TokenizerDefinition
{
    /// <summary>Ids of the model's tokens by their texts in the byte alphabet.</summary>
    public required IReadOnlyDictionary<string, int> Vocabulary { get; init; }

    /// <summary>Merges in the order in which they apply, each "left right".</summary>
    public required IReadOnlyList<string> Merges { get; init; }

    /// <summary>Tokens that stand beside the model: text and whether it is a marker that never shows.</summary>
    public required IReadOnlyDictionary<int, (string Text, bool IsSpecial)> AddedTokens { get; init; }

    /// <summary>Cuts text into the words that merges stay within.</summary>
    public required string PreTokenizerPattern { get; init; }

    /// <summary>Whether a space is put before a text that begins without one.</summary>
    public required bool AddsPrefixSpace { get; init; }

    /// <summary>Whether text is brought into Unicode normalization form C first.</summary>
    public required bool NormalizesToNfc { get; init; }

    /// <summary>Ids put before every plain prompt.</summary>
    public required IReadOnlyList<int> PrefixIds { get; init; }
}
