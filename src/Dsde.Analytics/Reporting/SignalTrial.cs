using Dsde.Statistics;

namespace Dsde.Analytics.Reporting;

/// <summary>
/// How well each signal that is known before a step foretells what becomes of the step: the paper's claim, on anybody's traffic. Every
/// figure is of ranks, so that a signal's scale does not matter, and its interval is found by drawing whole outputs anew.
/// </summary>
internal static class SignalTrial
{
    private const int LeastSteps = 30;
    private const string NoWorkload = "–";
    private const int MostNewtonSteps = 25;

    private static readonly (string Name, Func<SignalStep, double?> Value)[] Known =
    [
        ("mean KLD of the last step", step => step.LastKld),
        ("KLD on the path of the last step", step => step.LastOnPathKld),
        ("WVIR", step => step.Wvir),
        ("SF · WVIR", step => step.ScaledWvir),
        ("β of the last step", step => step.LastBeta),
        ("draft entropy of the last step", step => step.LastDraftEntropy),
        ("recent acceptance", step => step.RecentAcceptance),
        ("position", step => step.Position),
    ];

    /// <summary>Ranks the signals, best first: of all steps, and of each workload and temperature.</summary>
    public static IReadOnlyList<TriedSignal> Rank(IReadOnlyList<SignalStep> steps)
    {
        var groups = steps
            .GroupBy(step => (step.Workload, step.Temperature))
            .OrderBy(group => group.Key.Workload, StringComparer.Ordinal)
            .ToList();
        return
        [
            .. Rank(null, null, steps),
            .. groups.Count < 2
                ? []
                : groups.SelectMany(group => Rank(group.Key.Workload ?? NoWorkload, group.Key.Temperature, [.. group])),
        ];
    }

    private static IEnumerable<TriedSignal> Rank(string? workload, float? temperature, IReadOnlyList<SignalStep> steps) =>
        Known
            .Select(signal => Try(workload, temperature, signal.Name, steps, signal.Value))
            .OfType<TriedSignal>()
            .OrderByDescending(tried => Math.Abs(tried.Spearman))
            .ThenBy(tried => tried.Signal, StringComparer.Ordinal);

    private static TriedSignal? Try(
        string? workload,
        float? temperature,
        string name,
        IReadOnlyList<SignalStep> steps,
        Func<SignalStep, double?> signal
    )
    {
        var known = steps.Where(step => signal(step) is { } value && double.IsFinite(value)).ToList();
        if (known.Count < LeastSteps)
        {
            return null;
        }

        double[] values = [.. known.Select(step => signal(step)!.Value)];
        int[] outputs = [.. known.Select(step => step.Output)];
        if (ClusteredCorrelation.Spearman(values, [.. known.Select(step => step.AcceptedShare)], outputs) is not { } spearman)
        {
            return null;
        }

        var ranks = ClusteredCorrelation.Ranks(values);
        bool[] all = [.. known.Select(step => step.AcceptedShare >= 1)];
        var (auc, aucInterval) = Auc(ranks, all, outputs);
        var (gain, gainInterval) = LogLossGain(ranks, all, outputs);
        return new TriedSignal
        {
            Workload = workload,
            Temperature = temperature,
            Signal = name,
            Steps = known.Count,
            Spearman = spearman.Value,
            SpearmanInterval = spearman.Interval,
            Auc = auc,
            AucInterval = aucInterval,
            LogLossGain = gain,
            LogLossGainInterval = gainInterval,
        };
    }

    /// <summary>The chance that of two steps the one that was wholly accepted has the greater signal; by mean ranks.</summary>
    private static (double? Value, Interval? Interval) Auc(double[] ranks, bool[] outcomes, int[] outputs)
    {
        var clusters = new Dictionary<int, RankSums>();
        for (var i = 0; i < ranks.Length; i++)
        {
            var one = outcomes[i] ? new RankSums(1, ranks[i], 0, 0) : new RankSums(0, 0, 1, ranks[i]);
            clusters[outputs[i]] = clusters.GetValueOrDefault(outputs[i]) + one;
        }

        var sums = Blocks.Of([.. clusters.Values], static (one, other) => one + other);
        var value = Area(sums);
        return double.IsFinite(value) ? (value, Bootstrap.Of(sums, Area)) : (null, null);

        double Area(IReadOnlyList<RankSums> drawn)
        {
            var total = drawn.Aggregate(default(RankSums), (sum, one) => sum + one);
            return 0.5 + (((total.Of / total.Ones) - (total.Not / total.Others)) / ranks.Length);
        }
    }

    /// <summary>How much of the log-loss of the bare rate a logistic fit on the signal's rank takes away.</summary>
    private static (double? Value, Interval? Interval) LogLossGain(double[] ranks, bool[] outcomes, int[] outputs)
    {
        var rate = outcomes.Count(outcome => outcome) / (double)outcomes.Length;
        if (rate is 0 or 1)
        {
            return (null, null);
        }

        double[] x = [.. ranks.Select(rank => ((rank - 0.5) / ranks.Length) - 0.5)];
        var (intercept, slope) = Fit(x, outcomes, rate);
        var clusters = new Dictionary<int, (double Loss, double Bare)>();
        for (var i = 0; i < x.Length; i++)
        {
            var (loss, bare) = clusters.GetValueOrDefault(outputs[i]);
            clusters[outputs[i]] = (loss + Loss(Chance(intercept + (slope * x[i])), outcomes[i]), bare + Loss(rate, outcomes[i]));
        }

        var sums = Blocks.Of([.. clusters.Values], static (one, other) => (one.Loss + other.Loss, one.Bare + other.Bare));
        return (Gain(sums), Bootstrap.Of(sums, Gain));

        static double Gain(IReadOnlyList<(double Loss, double Bare)> drawn) =>
            1 - (drawn.Sum(one => one.Loss) / drawn.Sum(one => one.Bare));
    }

    /// <summary>Newton's method on two parameters; the likelihood is concave.</summary>
    private static (double Intercept, double Slope) Fit(double[] x, bool[] outcomes, double rate)
    {
        var (intercept, slope) = (Math.Log(rate / (1 - rate)), 0.0);
        for (var step = 0; step < MostNewtonSteps; step++)
        {
            double g0 = 0,
                g1 = 0,
                h00 = 1e-9,
                h01 = 0,
                h11 = 1e-9; // a touch of ridge, for outcomes that a rank parts wholly
            for (var i = 0; i < x.Length; i++)
            {
                var chance = Chance(intercept + (slope * x[i]));
                var (miss, weight) = ((outcomes[i] ? 1 : 0) - chance, chance * (1 - chance));
                (g0, g1) = (g0 + miss, g1 + (miss * x[i]));
                (h00, h01, h11) = (h00 + weight, h01 + (weight * x[i]), h11 + (weight * x[i] * x[i]));
            }

            var determinant = (h00 * h11) - (h01 * h01);
            var (d0, d1) = (((h11 * g0) - (h01 * g1)) / determinant, ((h00 * g1) - (h01 * g0)) / determinant);
            if (!double.IsFinite(d0 + d1) || Math.Abs(d0) + Math.Abs(d1) < 1e-9 || Math.Abs(slope + d1) > 100)
            {
                break;
            }

            (intercept, slope) = (intercept + d0, slope + d1);
        }

        return (intercept, slope);
    }

    private static double Chance(double logit) => 1 / (1 + Math.Exp(-logit));

    private static double Loss(double chance, bool outcome) => -Math.Log(Math.Max(outcome ? chance : 1 - chance, 1e-12));

    /// <summary>Steps that were wholly accepted, the sum of their ranks, the other steps and the sum of theirs.</summary>
    private readonly record struct RankSums(double Ones, double Of, double Others, double Not)
    {
        public static RankSums operator +(RankSums a, RankSums b) => new(a.Ones + b.Ones, a.Of + b.Of, a.Others + b.Others, a.Not + b.Not);
    }
}
