using Dsde.Statistics;

namespace Dsde.Analytics.Reporting;

/// <summary>What signals have to do with acceptance.</summary>
internal static class SignalFigures
{
    private const int Bins = 12;
    private const int MostPoints = 400;
    private const int LeastPairs = 10; // of fewer a coefficient says nothing

    /// <summary>Signals of a step, as the paper holds them against the acceptance of the same step.</summary>
    private static readonly (string Name, string Unit, Func<SignalStep, double?> Value)[] OfTheStep =
    [
        ("mean KLD", "nats", step => step.Kld),
        ("WVIR", "", step => step.Wvir),
        ("draft entropy", "nats", step => step.DraftEntropy),
        ("SF · WVIR", "", step => step.ScaledWvir),
        ("KLD on the path", "nats", step => step.OnPathKld),
        ("expected acceptance β", "", step => step.Beta),
    ];

    /// <summary>Accepted share by the first three signals.</summary>
    public static IReadOnlyList<SignalCurve> Curves(IReadOnlyList<SignalStep> steps) =>
        [.. OfTheStep[..3].Select(signal => Curve(signal.Name, signal.Unit, steps, signal.Value)).Where(curve => curve.Bins.Count > 0)];

    /// <summary>Correlations by temperature.</summary>
    public static IReadOnlyList<SignalCorrelation> Correlations(IReadOnlyList<SignalStep> steps) =>
        [
            .. steps
                .GroupBy(step => step.Temperature)
                .OrderBy(group => group.Key)
                .SelectMany(group => OfTheStep.Select(signal => Correlate(group.Key, signal.Name, [.. group], signal.Value))),
        ];

    private static SignalCorrelation Correlate(float temperature, string name, List<SignalStep> steps, Func<SignalStep, double?> signal)
    {
        var known = steps.Where(step => signal(step) is { } value && double.IsFinite(value)).ToList();
        double[] x = [.. known.Select(step => signal(step)!.Value)];
        double[] y = [.. known.Select(step => step.AcceptedShare)];
        int[] outputs = [.. known.Select(step => step.Output)];
        if (known.Count < LeastPairs)
        {
            return new SignalCorrelation(temperature, name, known.Count, null, null, null, null);
        }

        var (pearson, spearman) = (ClusteredCorrelation.Pearson(x, y, outputs), ClusteredCorrelation.Spearman(x, y, outputs));
        return new SignalCorrelation(
            temperature,
            name,
            known.Count,
            pearson?.Value,
            pearson?.Interval,
            spearman?.Value,
            spearman?.Interval
        );
    }

    private static SignalCurve Curve(string name, string unit, IReadOnlyList<SignalStep> steps, Func<SignalStep, double?> signal)
    {
        var known = steps
            .Select(step => (Signal: signal(step), step.AcceptedShare))
            .Where(pair => pair.Signal is { } value && double.IsFinite(value))
            .Select(pair => (Signal: pair.Signal!.Value, pair.AcceptedShare))
            .OrderBy(pair => pair.Signal)
            .ToList();
        var size = Math.Max(1, (int)Math.Ceiling(known.Count / (double)Bins));
        var every = Math.Max(1, known.Count / MostPoints);
        return new SignalCurve(
            name,
            unit,
            [
                .. known
                    .Chunk(size)
                    .Select(bin => new SignalBin(bin.Average(pair => pair.Signal), bin.Average(pair => pair.AcceptedShare), bin.Length)),
            ],
            [.. known.Where((_, index) => index % every == 0).Select(pair => new[] { pair.Signal, pair.AcceptedShare })]
        );
    }
}
