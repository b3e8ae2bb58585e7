using Microsoft.ML.Tokenizers;

namespace Dsde.Engine.Tokenization;

/// <summary>What byte-level models do to text before it is cut into words.</summary>
/// <param name="normalizesToNfc">Whether text is brought into Unicode normalization form C.</param>
/// <param name="addsPrefixSpace">Whether a space is put before text that begins without one.</param>
internal sealed class ByteLevelNormalizer(bool normalizesToNfc, bool addsPrefixSpace) : Normalizer
{
    /// <inheritdoc/>
    public override string Normalize(string original)
    {
        var prepared = normalizesToNfc ? CanonicalComposition.Normalize(original) : original;
        return addsPrefixSpace && prepared.Length > 0 && !prepared.StartsWith(' ') ? " " + prepared : prepared;
    }

    /// <inheritdoc/>
    public override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());
}
