using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;

namespace Dsde.Pipeline.Telemetry;

/// <summary>
/// Bounds of histograms by the unit of their instrument: OpenTelemetry's own are for milliseconds, whatever is measured.
/// </summary>
internal static class HistogramBuckets
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

    /// <summary>The view of an instrument; null for what is no histogram.</summary>
    public static MetricStreamConfiguration? Choose(Instrument instrument) =>
        IsHistogram(instrument.GetType())
            ? new ExplicitBucketHistogramConfiguration
            {
                Boundaries = instrument.Unit switch
                {
                    "s" => Seconds,
                    "ms" => [.. Seconds.Select(bound => bound * 1000)],
                    _ => Counts,
                },
            }
            : null;

    private static bool IsHistogram(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Histogram<>);
}
