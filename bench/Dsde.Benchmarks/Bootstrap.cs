using Dsde.Batches.Reporting;

namespace Dsde.Benchmarks;

/// <summary>A range that a figure lies in, with 95 % confidence.</summary>
internal readonly record struct Interval(double Low, double High)
{
    /// <summary>Whether a ratio is really above or below 1.</summary>
    public bool Excludes(double value) => value < Low || value > High;
}

/// <summary>
/// How sure a median of few rounds is (Efron's percentile bootstrap): the median of as many rounds, drawn from those measured with
/// replacement, over and over. The draws are the same in every run.
/// </summary>
internal static class Bootstrap
{
    /// <summary>Fewer rounds say nothing about how far they lie apart.</summary>
    public const int LeastRounds = 3;

    private const int Resamples = 4000;
    private const double Outside = 0.025; // on either side
    private const int Seed = 20250901;

    /// <summary>The interval of the median; null for too few values.</summary>
    public static Interval? OfMedian(IReadOnlyList<double> values)
    {
        if (values.Count < LeastRounds)
        {
            return null;
        }

        var random = new Random(Seed);
        var drawn = new double[values.Count];
        var medians = new double[Resamples];
        for (var i = 0; i < Resamples; i++)
        {
            for (var j = 0; j < drawn.Length; j++)
            {
                drawn[j] = values[random.Next(values.Count)];
            }

            medians[i] = Statistics.Median(drawn);
        }

        return new Interval(Statistics.Quantile(medians, Outside), Statistics.Quantile(medians, 1 - Outside));
    }
}
