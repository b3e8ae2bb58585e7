namespace Dsde.Grammars.Automata;

/// <summary>A set of Unicode scalar values, as ascending ranges with gaps between them. Surrogates are never in it.</summary>
internal sealed class ScalarSet
{
    private const int LastScalar = 0x10FFFF;
    private const int FirstSurrogate = 0xD800;
    private const int LastSurrogate = 0xDFFF;

    private ScalarSet(IReadOnlyList<(int First, int Last)> ranges) => Ranges = ranges;

    /// <summary>All scalar values.</summary>
    public static ScalarSet All { get; } = Of((0, LastScalar));

    /// <summary>The ranges.</summary>
    public IReadOnlyList<(int First, int Last)> Ranges { get; }

    /// <summary>A set of ranges in any order, which may overlap.</summary>
    public static ScalarSet Of(params IEnumerable<(int First, int Last)> ranges)
    {
        var merged = new List<(int First, int Last)>();
        foreach (var (first, last) in ranges.SelectMany(WithoutSurrogates).Order())
        {
            if (merged.Count > 0 && first <= merged[^1].Last + 1)
            {
                merged[^1] = (merged[^1].First, Math.Max(last, merged[^1].Last));
            }
            else
            {
                merged.Add((first, last));
            }
        }

        return new ScalarSet(merged);
    }

    /// <summary>Scalar values of one of two sets.</summary>
    public ScalarSet Union(ScalarSet other) => Of([.. Ranges, .. other.Ranges]);

    /// <summary>All others.</summary>
    public ScalarSet Complement()
    {
        var gaps = new List<(int, int)>();
        var next = 0;
        foreach (var (first, last) in Ranges)
        {
            gaps.Add((next, first - 1));
            next = last + 1;
        }

        gaps.Add((next, LastScalar));
        return Of(gaps);
    }

    /// <summary>Those that are not in another set.</summary>
    public ScalarSet Except(ScalarSet other) => Complement().Union(other).Complement();

    private static IEnumerable<(int, int)> WithoutSurrogates((int First, int Last) range) =>
        new[] { (range.First, Math.Min(range.Last, FirstSurrogate - 1)), (Math.Max(range.First, LastSurrogate + 1), range.Last) }.Where(
            part => part.Item1 <= part.Item2
        );
}
