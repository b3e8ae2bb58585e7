namespace Dsde.Statistics;

/// <summary>
/// How sure a figure of few values is (Efron's percentile bootstrap): the same figure of as many values, drawn from those measured with
/// replacement, over and over. The draws are the same in every run.
/// </summary>
public static class Bootstrap
{
    /// <summary>Fewer values say nothing about how far they lie apart.</summary>
    public const int LeastValues = 3;

    private const int Resamples = 4000;
    private const double Outside = 0.025; // on either side
    private const int Seed = 20250901;

    /// <summary>The interval of the median; null for too few values.</summary>
    public static Interval? OfMedian(IReadOnlyList<double> values) => Of(values, Samples.Median);

    /// <summary>The interval of any figure; null for too few values, or where the figure is not a number.</summary>
    /// <param name="values">What was measured.</param>
    /// <param name="figure">The figure of as many values.</param>
    public static Interval? Of<T>(IReadOnlyList<T> values, Func<IReadOnlyList<T>, double> figure)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(figure);
        var drawn = new T[values.Count];
        return values.Count < LeastValues
            ? null
            : OfDraws(random =>
            {
                Draw(random, values, drawn);
                return figure(drawn);
            });
    }

    /// <summary>The same of a figure of two samples that have nothing to do with each other, each drawn by itself.</summary>
    /// <param name="ones">The first.</param>
    /// <param name="others">The second.</param>
    /// <param name="figure">The figure of as many values of each.</param>
    public static Interval? OfTwo<T>(
        IReadOnlyList<T> ones,
        IReadOnlyList<T> others,
        Func<IReadOnlyList<T>, IReadOnlyList<T>, double> figure
    )
    {
        ArgumentNullException.ThrowIfNull(ones);
        ArgumentNullException.ThrowIfNull(others);
        ArgumentNullException.ThrowIfNull(figure);
        var (drawnOnes, drawnOthers) = (new T[ones.Count], new T[others.Count]);
        return Math.Min(ones.Count, others.Count) < LeastValues
            ? null
            : OfDraws(random =>
            {
                Draw(random, ones, drawnOnes);
                Draw(random, others, drawnOthers);
                return figure(drawnOnes, drawnOthers);
            });
    }

    private static Interval? OfDraws(Func<Random, double> draw)
    {
        var random = new Random(Seed);
        var figures = new double[Resamples];
        for (var i = 0; i < Resamples; i++)
        {
            figures[i] = draw(random);
        }

        return Array.TrueForAll(figures, double.IsFinite)
            ? new Interval(Samples.Quantile(figures, Outside), Samples.Quantile(figures, 1 - Outside))
            : null;
    }

    private static void Draw<T>(Random random, IReadOnlyList<T> values, T[] drawn)
    {
        for (var i = 0; i < drawn.Length; i++)
        {
            drawn[i] = values[random.Next(values.Count)];
        }
    }
}
