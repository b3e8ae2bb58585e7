using Microsoft.ML.Tokenizers;

namespace Dsde.Engine.Tokenization;

/// <summary>What models of pieces do to text before it merges: spaces are shown as '▁', and one may be put before it.</summary>
/// <param name="prefix">When a boundary is put before text.</param>
/// <param name="isFirst">Whether nothing stands before the text: some models put a boundary before the first word only.</param>
/// <param name="removesExtraSpaces">Whether runs of spaces become one and those around the text go.</param>
internal sealed class PieceNormalizer(PrefixRule prefix, bool isFirst, bool removesExtraSpaces) : Normalizer
{
    /// <summary>Shows a space in pieces.</summary>
    public const char Boundary = '\u2581';

    /// <inheritdoc/>
    public override string Normalize(string original)
    {
        var text = removesExtraSpaces ? string.Join(' ', original.Split(' ', StringSplitOptions.RemoveEmptyEntries)) : original;
        return (text.Length > 0 && NeedsPrefix(text) ? " " + text : text).Replace(' ', Boundary);
    }

    /// <inheritdoc/>
    public override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());

    private bool NeedsPrefix(string text) =>
        prefix switch
        {
            PrefixRule.Always => true,
            PrefixRule.First => isFirst,
            PrefixRule.AlwaysUnlessSpace => text[0] is not (' ' or Boundary),
            PrefixRule.FirstUnlessSpace => isFirst && text[0] is not (' ' or Boundary),
            _ => false,
        };
}
