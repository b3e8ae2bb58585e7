namespace Dsde.Statistics;

/// <summary>
/// Sums of many values in a few blocks, for the bootstrap: where a figure only knows sums, drawing blocks of values that were dealt out by
/// chance says how sure it is as drawing the values does, to a few percent of the interval's width, at a cost that doesn't grow with them.
/// </summary>
public static class Blocks
{
    /// <summary>Fewer values stay by themselves.</summary>
    public const int Most = 400;

    private const int Seed = 20250901;

    /// <summary>The values, or sums of them.</summary>
    /// <param name="values">Parts of sums.</param>
    /// <param name="add">Adds two.</param>
    /// <returns>At most <see cref="Most"/>, which add up to the same.</returns>
    public static IReadOnlyList<T> Of<T>(IReadOnlyList<T> values, Func<T, T, T> add)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(add);
        if (values.Count <= Most)
        {
            return values;
        }

        T[] dealt = [.. values];
        new Random(Seed).Shuffle(dealt); // neighbours may be alike
        var blocks = dealt[..Most];
        for (var i = Most; i < dealt.Length; i++)
        {
            blocks[i % Most] = add(blocks[i % Most], dealt[i]);
        }

        return blocks;
    }
}
