namespace Dsde.Contracts;

/// <summary>One of the things that a job continues: a text or tokens. Two are equal if they say the same.</summary>
public sealed class JobPrompt : IEquatable<JobPrompt>
{
    private JobPrompt(string? text, IReadOnlyList<int>? tokenIds) => (Text, TokenIds) = (text, tokenIds);

    /// <summary>A text; null if it is tokens.</summary>
    public string? Text { get; }

    /// <summary>Tokens, as they stand: none is put before them; null if it is a text.</summary>
    public IReadOnlyList<int>? TokenIds { get; }

    /// <summary>A text.</summary>
    /// <param name="text">Any characters but NUL, at least one.</param>
    public static JobPrompt OfText(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new JobPrompt(text, tokenIds: null);
    }

    /// <summary>Tokens.</summary>
    /// <param name="ids">Of the model's vocabulary, at least one.</param>
    public static JobPrompt OfTokenIds(IReadOnlyList<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return new JobPrompt(text: null, ids);
    }

    /// <inheritdoc/>
    public bool Equals(JobPrompt? other) => other is not null && Text == other.Text && (TokenIds ?? []).SequenceEqual(other.TokenIds ?? []);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as JobPrompt);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Text, TokenIds?.Count, TokenIds is { Count: > 0 } ids ? ids[^1] : 0);
}
