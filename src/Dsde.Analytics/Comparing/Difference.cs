using System.Globalization;
using Dsde.Persistence.Jobs;
using Dsde.Statistics;

namespace Dsde.Analytics.Comparing;

/// <summary>By how much two runs differ in something.</summary>
public sealed record Difference
{
    /// <summary>In what.</summary>
    public required string Measure { get; init; }

    /// <summary>Its unit; empty for a bare number.</summary>
    public required string Unit { get; init; }

    /// <summary>Of the first; null if it has no such value.</summary>
    public required double? First { get; init; }

    /// <summary>Of the second.</summary>
    public required double? Second { get; init; }

    /// <summary>How much more the second has, in percent of the first; null where one has no value or the first is 0.</summary>
    public double? EffectPercent => Change(First, Second);

    /// <summary>Where that lies with 95 % confidence; null where too few outputs tell.</summary>
    public required Interval? EffectInterval { get; init; }

    /// <summary>Whether the difference is real and not chance, at 95 %; null where nobody can tell.</summary>
    public bool? IsReal => EffectInterval?.Excludes(0);

    /// <summary>All of that in a sentence.</summary>
    public required string Sentence { get; init; }

    /// <summary>By prompts that both have, each of which counts alike however often it ran on either side.</summary>
    internal static Difference Of(Measure measure, IReadOnlyList<(List<TraceSummary> First, List<TraceSummary> Second)> pairs)
    {
        var parts = pairs
            .Select(pair => (First: Part.MeanOf(measure, pair.First), Second: Part.MeanOf(measure, pair.Second)))
            .Where(pair => pair is { First.Denominator: > 0, Second.Denominator: > 0 })
            .ToList();
        var (first, second) = (Part.Ratio(parts.Select(part => part.First)), Part.Ratio(parts.Select(part => part.Second)));
        var interval = Bootstrap.Of(
            Blocks.Of(parts, static (one, other) => (one.First + other.First, one.Second + other.Second)),
            drawn => Change(Part.Ratio(drawn.Select(part => part.First)), Part.Ratio(drawn.Select(part => part.Second))) ?? double.NaN
        );
        return Create(measure, first, second, interval);
    }

    /// <summary>By all outputs of either.</summary>
    internal static Difference Of(Measure measure, ComparedSide first, ComparedSide second)
    {
        var (ones, others) = (Part.Each(measure, first), Part.Each(measure, second));
        var interval = Bootstrap.OfTwo(
            Blocks.Of(ones, static (one, other) => one + other),
            Blocks.Of(others, static (one, other) => one + other),
            (drawnOnes, drawnOthers) => Change(Part.Ratio(drawnOnes), Part.Ratio(drawnOthers)) ?? double.NaN
        );
        return Create(measure, Part.Ratio(ones), Part.Ratio(others), interval);
    }

    private static Difference Create(Measure measure, double? first, double? second, Interval? interval) =>
        new()
        {
            Measure = measure.Name,
            Unit = measure.Unit,
            First = first,
            Second = second,
            EffectInterval = interval,
            Sentence = Describe(measure, Change(first, second), interval),
        };

    private static string Describe(Measure measure, double? effect, Interval? interval)
    {
        if (effect is not { } percent)
        {
            return $"The {measure.Name} can't be compared: one of the two has none.";
        }

        if (percent == 0)
        {
            return $"The {measure.Name} is the same in both.";
        }

        var much = $"is {Percent(Math.Abs(percent))} {(percent > 0 ? "higher" : "lower")}";
        if (interval is not { } range)
        {
            return $"The {measure.Name} of the second {much}; too few outputs to tell whether that is real.";
        }

        var verdict = !range.Excludes(0)
            ? "the difference may be chance"
            : "the difference is real"
                + (
                    measure.Better is { } better
                        ? percent > 0 == (better == Direction.More)
                            ? ", and the second is better"
                            : ", and the first is better"
                        : ""
                );
        return $"The {measure.Name} of the second {much} (95 %: {Signed(range.Low)} to {Signed(range.High)}): {verdict}.";
    }

    private static double? Change(double? first, double? second) => first is { } from && from != 0 ? 100 * ((second / from) - 1) : null;

    private static string Percent(double value) => value.ToString("0.0", CultureInfo.InvariantCulture) + " %";

    private static string Signed(double value) => value.ToString("+0.0;−0.0;0.0", CultureInfo.InvariantCulture) + " %";

    /// <summary>The part of some outputs in a measure.</summary>
    private readonly record struct Part(double Numerator, double Denominator)
    {
        public static Part operator +(Part one, Part other) => new(one.Numerator + other.Numerator, one.Denominator + other.Denominator);

        /// <summary>Of one of the outputs, on average; nothing if none has a value.</summary>
        public static Part MeanOf(Measure measure, IEnumerable<TraceSummary> outputs)
        {
            var parts = outputs.Select(output => Of(measure, output)).OfType<Part>().ToList();
            return parts.Count == 0 ? default : new Part(parts.Average(part => part.Numerator), parts.Average(part => part.Denominator));
        }

        public static List<Part> Each(Measure measure, ComparedSide side) =>
            [.. side.Outputs.Select(output => Of(measure, output.Trace)).OfType<Part>().Where(part => part.Denominator > 0)];

        public static double? Ratio(IEnumerable<Part> parts)
        {
            var (numerator, denominator) = (0d, 0d);
            foreach (var part in parts)
            {
                numerator += part.Numerator;
                denominator += part.Denominator;
            }

            return denominator > 0 ? numerator / denominator : null;
        }

        private static Part? Of(Measure measure, TraceSummary output) =>
            measure.NumeratorOf(output) is { } numerator ? new Part(numerator, measure.DenominatorOf(output)) : null;
    }
}
