namespace Dsde.Statistics;

/// <summary>Summaries of a few measured values; the values are not changed.</summary>
public static class Samples
{
    /// <summary>The middle value, or the mean of the two middle ones. At least one value.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        var middle = sorted.Count / 2;
        return sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>
    /// The smallest value that at least <paramref name="share"/> of the values don't exceed (nearest rank). At least one value.
    /// </summary>
    public static double Quantile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToList();
        return sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Count) - 1)];
    }

    /// <summary>Largest less smallest value, as a share of the median: how far repetitions were apart. At least one value.</summary>
    public static double Spread(IReadOnlyCollection<double> values) => (values.Max() - values.Min()) / Median(values);
}
