namespace Dsde.Engine.Tests.Sampling;

/// <summary>Pearson's test of observed counts against expected probabilities.</summary>
internal static class ChiSquare
{
    /// <summary>
    /// Normal quantile of 1 − 1/10,000. Tests draw with fixed seeds, so an outcome is fixed: this bounds how unlucky the seeds may be.
    /// </summary>
    private const double Quantile = 3.719;

    /// <summary>
    /// Fails if counts this far from the probabilities come up less than once in 10,000 by chance. Cells expected less than 5 times are
    /// pooled.
    /// </summary>
    public static void ShouldFollow<T>(IReadOnlyDictionary<T, int> observed, IReadOnlyDictionary<T, double> probabilities, int draws)
        where T : notnull
    {
        double statistic = 0,
            pooledExpected = 0;
        int cells = 0,
            pooledObserved = 0;
        foreach (var (outcome, probability) in probabilities)
        {
            var (expected, count) = (probability * draws, observed.GetValueOrDefault(outcome));
            if (expected < 5)
            {
                pooledExpected += expected;
                pooledObserved += count;
                continue;
            }

            statistic += (count - expected) * (count - expected) / expected;
            cells++;
        }

        if (pooledExpected > 0)
        {
            statistic += (pooledObserved - pooledExpected) * (pooledObserved - pooledExpected) / pooledExpected;
            cells++;
        }

        cells.ShouldBeGreaterThan(2, "Too few outcomes are likely enough to test anything.");
        statistic.ShouldBeLessThan(CriticalValue(cells - 1));
    }

    /// <summary>Approximation of Wilson and Hilferty (1931).</summary>
    private static double CriticalValue(int degreesOfFreedom)
    {
        var spread = 2.0 / (9 * degreesOfFreedom);
        return degreesOfFreedom * Math.Pow(1 - spread + (Quantile * Math.Sqrt(spread)), 3);
    }
}
