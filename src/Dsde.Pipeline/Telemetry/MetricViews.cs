using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;

namespace Dsde.Pipeline.Telemetry;

/// <summary>
/// Bounds of histograms by what they measure, as OpenTelemetry's own are for milliseconds whatever it is; and names that Prometheus takes,
/// for
/// which an ending <c>_count</c> belongs to histograms.
/// </summary>
internal static class MetricViews
{
    /// <summary>From a millisecond to an hour: a job of a few tokens, and one of many thousands on a slow machine.</summary>
    private static readonly double[] Seconds =
    [
        0.001,
        0.0025,
        0.005,
        0.01,
        0.025,
        0.05,
        0.1,
        0.25,
        0.5,
        1,
        2.5,
        5,
        10,
        30,
        60,
        120,
        300,
        600,
        1800,
        3600,
    ];

    /// <summary>From one to a gibi, in powers of four.</summary>
    private static readonly double[] Counts = [.. Enumerable.Range(0, 16).Select(power => Math.Pow(4, power))];

    /// <summary>Every length up to what is usual, and then fewer.</summary>
    private static readonly double[] Lengths = [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 64];

    /// <summary>In nats: drafts that agree have thousandths, those that don't have several.</summary>
    private static readonly double[] Divergences = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 1, 2, 4, 8, 16];

    /// <summary>Around 1, where the latest is as stable as the average.</summary>
    private static readonly double[] Ratios = [0.1, 0.25, 0.5, 0.75, 0.9, 1.1, 1.5, 2, 4, 8];

    private const string Count = ".count";

    /// <summary>The view of an instrument; null for what is taken as it is.</summary>
    public static MetricStreamConfiguration? Choose(Instrument instrument) =>
        IsHistogram(instrument.GetType())
            ? new ExplicitBucketHistogramConfiguration
            {
                Boundaries = (instrument.Name, instrument.Unit) switch
                {
                    (SpeculationMeter.LengthName, _) => Lengths,
                    (SpeculationMeter.DivergenceName, _) => Divergences,
                    (SpeculationMeter.VarianceRatioName, _) => Ratios,
                    (_, "s") => Seconds,
                    _ => Counts,
                },
            }
        : instrument.Name.EndsWith(Count, StringComparison.Ordinal)
            ? new MetricStreamConfiguration { Name = instrument.Name[..^Count.Length] }
        : null;

    private static bool IsHistogram(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Histogram<>);
}
