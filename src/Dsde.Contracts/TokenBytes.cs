namespace Dsde.Contracts;

/// <summary>What a token stands for.</summary>
public sealed record TokenBytes
{
    /// <summary>The token.</summary>
    public required int TokenId { get; init; }

    /// <summary>
    /// Its part of the text in UTF-8, which may begin or end within a character; of a special token its name. Base64 in JSON.
    /// </summary>
    public required byte[] Bytes { get; init; }

    /// <summary>Whether it is a special token, which adds nothing to the text.</summary>
    public required bool IsSpecial { get; init; }
}
