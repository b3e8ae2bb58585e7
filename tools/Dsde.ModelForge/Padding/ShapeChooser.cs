using System.Globalization;

namespace Dsde.ModelForge.Padding;

/// <summary>Finds a realistic shape for a number of parameters.</summary>
internal static class ShapeChooser
{
    /// <summary>
    /// Shapes that models of this kind have; the first is that of the figures in docs/benchmarks.md, the others those of Llama 3.
    /// </summary>
    private static readonly DecoderShape[] Usual =
    [
        new(1024, 12, 16, 8, 64, 2816),
        new(2048, 16, 32, 8, 64, 8192),
        new(3072, 28, 24, 8, 128, 8192),
        new(4096, 32, 32, 8, 128, 14336),
        new(8192, 80, 64, 8, 128, 28672),
    ];

    /// <summary>The usual shape nearest in size, with as many layers as stay within the number, but no fewer than the source has.</summary>
    public static DecoderShape Choose(long parameters, int vocabularySize, int embeddingCount, DecoderShape source)
    {
        var nearest = Usual.MinBy(shape => Math.Abs(Math.Log((double)shape.ParameterCount(vocabularySize, embeddingCount) / parameters)))!;
        var embedding = (nearest with { LayerCount = 0 }).ParameterCount(vocabularySize, embeddingCount);
        var layers = (int)((parameters - embedding) / nearest.LayerParameterCount);
        return nearest with { LayerCount = Math.Max(layers, source.LayerCount) };
    }

    /// <summary>Reads a number of parameters: <c>150M</c>, <c>8B</c>, <c>1.5B</c> or plain digits; null if it is none.</summary>
    public static long? ParseCount(string text)
    {
        var factor =
            text.Length == 0
                ? 0
                : char.ToUpperInvariant(text[^1]) switch
                {
                    'K' => 1e3,
                    'M' => 1e6,
                    'B' => 1e9,
                    _ => 1,
                };
        var digits = factor is 1 or 0 ? text : text[..^1];
        return double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number > 0
            ? (long)(number * factor)
            : null;
    }
}
