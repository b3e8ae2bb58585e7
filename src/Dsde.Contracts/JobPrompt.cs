namespace Dsde.Contracts;

/// <summary>One of the things that a job continues: exactly one of the two is set.</summary>
public sealed class JobPrompt
{
    /// <summary>A text; any characters but NUL.</summary>
    public string? Text { get; init; }

    /// <summary>Tokens, as they stand: none is put before them. Ids of the model's vocabulary, at least one.</summary>
    public IReadOnlyList<int>? TokenIds { get; init; }
}
