namespace Dsde.Engine.Tokenization;

/// <summary>Makes text of committed tokens and watches for stop strings.</summary>
internal interface ITextAssembler
{
    /// <summary>The text so far; once a stop string is complete, what stands before it.</summary>
    string Text { get; }

    /// <summary>Takes one token; true if it completes a stop string.</summary>
    bool Append(int tokenId);
}
