using Dsde.ModelForge.Folders;

namespace Dsde.ModelForge.Padding;

/// <summary>
/// How one weight comes out of the source's: which of its rows and columns go where, times what. Everything else is zero.
/// </summary>
/// <param name="Name">Name in both models, but for the number of a layer.</param>
/// <param name="SourceName">Name in the source; null for zeros only.</param>
/// <param name="Rows">Per row the source's row, or −1; null for a vector.</param>
/// <param name="Columns">Per column the source's column, or −1.</param>
/// <param name="Scale">Factor of all numbers.</param>
internal sealed record WeightPadding(string Name, string? SourceName, int[]? Rows, int[] Columns, double Scale = 1)
{
    /// <summary>
    /// The weight, to be streamed. A scale that bf16 can't apply exactly is applied in fp32, and the weight is then stored so.
    /// </summary>
    public StoredWeight ToStoredWeight(SourceWeights source, StoredType type) =>
        new(
            Name,
            double.IsPow2(Scale) ? type : StoredType.F32,
            Rows is null ? [Columns.Length] : [Rows.Length, Columns.Length],
            Pad(source)
        );

    private IEnumerable<float[]> Pad(SourceWeights source)
    {
        var padded = new float[Columns.Length];
        var read = new float[SourceName is null ? 0 : source.ShapeOf(SourceName)[^1]];
        foreach (var row in Rows ?? [0])
        {
            Array.Clear(padded);
            if (row >= 0 && SourceName is not null)
            {
                source.ReadRow(SourceName, row, read);
                for (var column = 0; column < padded.Length; column++)
                {
                    padded[column] = Columns[column] < 0 ? 0 : (float)(read[Columns[column]] * Scale);
                }
            }

            yield return padded;
        }
    }
}
