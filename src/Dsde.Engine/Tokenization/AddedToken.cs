namespace Dsde.Engine.Tokenization;

/// <summary>A token that stands beside those that text is merged into.</summary>
/// <param name="Text">What it is written as.</param>
/// <param name="IsSpecial">Whether it is a marker that never shows in outputs.</param>
internal readonly record struct AddedToken(string Text, bool IsSpecial)
{
    /// <summary>Whether it takes the white space before it along.</summary>
    public bool StripsLeft { get; init; }

    /// <summary>Whether it takes the white space behind it along.</summary>
    public bool StripsRight { get; init; }

    /// <summary>Whether it stands for its text only where no letter or digit touches it.</summary>
    public bool IsWholeWord { get; init; }
}
