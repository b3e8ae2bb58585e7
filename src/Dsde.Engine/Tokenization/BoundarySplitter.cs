using Microsoft.ML.Tokenizers;

namespace Dsde.Engine.Tokenization;

/// <summary>Cuts text before each '▁', so that no piece holds one inside.</summary>
internal sealed class BoundarySplitter : PreTokenizer
{
    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        for (var start = 0; start < text.Length; )
        {
            var next = text.IndexOf(PieceNormalizer.Boundary, start + 1);
            var end = next < 0 ? text.Length : next;
            yield return (start, end - start);
            start = end;
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());
}
