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

    /// <summary>The interval of any figure; null for too few values.</summary>
    /// <param name="values">What was measured.</param>
    /// <param name="figure">The figure of as many values.</param>
    public static Interval? Of<T>(IReadOnlyList<T> values, Func<IReadOnlyList<T>, double> figure)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(figure);
        if (values.Count < LeastValues)
        {
            return null;
        }

        var random = new Random(Seed);
        var drawn = new T[values.Count];
        var figures = new double[Resamples];
        for (var i = 0; i < Resamples; i++)
        {
            for (var j = 0; j < drawn.Length; j++)
            {
                drawn[j] = values[random.Next(values.Count)];
            }

            figures[i] = figure(drawn);
        }

        return new Interval(Samples.Quantile(figures, Outside), Samples.Quantile(figures, 1 - Outside));
    }
}
