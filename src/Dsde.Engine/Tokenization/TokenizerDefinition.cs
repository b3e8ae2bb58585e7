namespace Dsde.Engine.Tokenization;

/// <summary>What a tokenizer file says, of whatever format.</summary>
internal sealed record TokenizerDefinition
{
    /// <summary>The file, for messages.</summary>
    public required string Path { get; init; }

    /// <summary>Kind of tokenizer, for people: <c>byte-level BPE</c> or <c>SentencePiece BPE</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>What each token adds to a text, by id. Special tokens have their name.</summary>
    public required IReadOnlyDictionary<int, byte[]> Bytes { get; init; }

    /// <summary>Tokens that text is not merged into, by id: markers, and others that stand for their text.</summary>
    public required IReadOnlyDictionary<int, AddedToken> AddedTokens { get; init; }

    /// <summary>Encodes text before which nothing stands, and in which no added tokens are. Any tokenizer of the library will do.</summary>
    public required Microsoft.ML.Tokenizers.Tokenizer First { get; init; }

    /// <summary>Encodes text behind other tokens: some models put a space before the first word only.</summary>
    public required Microsoft.ML.Tokenizers.Tokenizer Following { get; init; }

    /// <summary>Ids put before every plain prompt.</summary>
    public required IReadOnlyList<int> PrefixIds { get; init; }

    /// <summary>What the files beside it say.</summary>
    public required TokenizerSettings Settings { get; init; }

    /// <summary>Whether text gets a space before it, which does not belong to the text when it is put together again.</summary>
    public bool BeginsWithSpace { get; init; }
}
