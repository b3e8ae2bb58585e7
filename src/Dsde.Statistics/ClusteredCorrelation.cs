namespace Dsde.Statistics;

/// <summary>
/// Correlation of pairs that come in clusters, such as the steps of an output, which resemble each other: the interval is found by drawing
/// whole clusters anew, and is as wide as their likeness asks for.
/// </summary>
public static class ClusteredCorrelation
{
    /// <summary>Pearson's coefficient with its interval.</summary>
    /// <param name="x">One value of each pair.</param>
    /// <param name="y">The other.</param>
    /// <param name="cluster">Number of each pair's cluster, from 0.</param>
    /// <returns>Null without a spread in both; no interval for fewer than <see cref="Bootstrap.LeastValues"/> clusters.</returns>
    public static (double Value, Interval? Interval)? Pearson(IReadOnlyList<double> x, IReadOnlyList<double> y, IReadOnlyList<int> cluster)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        ArgumentNullException.ThrowIfNull(cluster);
        if (x.Count == 0)
        {
            return null;
        }

        // About their means, or sums of squares of large numbers would cancel.
        var (meanX, meanY) = (x.Average(), y.Average());
        var sums = new Dictionary<int, Sums>();
        for (var i = 0; i < x.Count; i++)
        {
            sums[cluster[i]] = sums.GetValueOrDefault(cluster[i]) + Sums.Of(x[i] - meanX, y[i] - meanY);
        }

        var clusters = Blocks.Of([.. sums.Values], static (one, other) => one + other);
        return CoefficientOf(clusters) is var value && double.IsFinite(value) ? (value, Bootstrap.Of(clusters, CoefficientOf)) : null;
    }

    /// <summary>Spearman's coefficient: Pearson's of the ranks, equal values sharing theirs.</summary>
    public static (double Value, Interval? Interval)? Spearman(
        IReadOnlyList<double> x,
        IReadOnlyList<double> y,
        IReadOnlyList<int> cluster
    ) => Pearson(Ranks(x), Ranks(y), cluster);

    /// <summary>Ranks from 1; equal values have the mean of theirs.</summary>
    public static double[] Ranks(IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var order = Enumerable.Range(0, values.Count).OrderBy(i => values[i]).ToArray();
        var ranks = new double[values.Count];
        for (var begin = 0; begin < order.Length; )
        {
            var end = begin + 1;
            while (end < order.Length && values[order[end]].Equals(values[order[begin]]))
            {
                end++;
            }

            for (var i = begin; i < end; i++)
            {
                ranks[order[i]] = (begin + 1 + end) / 2.0;
            }

            begin = end;
        }

        return ranks;
    }

    private static double CoefficientOf(IReadOnlyList<Sums> clusters)
    {
        var all = default(Sums);
        for (var i = 0; i < clusters.Count; i++)
        {
            all += clusters[i];
        }

        var spread = (all.XX - (all.X * all.X / all.N)) * (all.YY - (all.Y * all.Y / all.N));
        return spread > 0 ? Math.Clamp((all.XY - (all.X * all.Y / all.N)) / Math.Sqrt(spread), -1, 1) : double.NaN;
    }

    private readonly record struct Sums(double N, double X, double Y, double XX, double YY, double XY)
    {
        public static Sums Of(double x, double y) => new(1, x, y, x * x, y * y, x * y);

        public static Sums operator +(Sums a, Sums b) => new(a.N + b.N, a.X + b.X, a.Y + b.Y, a.XX + b.XX, a.YY + b.YY, a.XY + b.XY);
    }
}
