using Dsde.Speculation.Guarding;

namespace Dsde.Speculation.Tests.Guarding;

/// <summary>Costs and acceptance for tests of the guard.</summary>
internal static class GuardCases
{
    /// <summary>Time that a target pass of one row takes, ms.</summary>
    public const double TargetMs = 20;

    /// <summary>Time outside the passes, ms.</summary>
    public const double RestMs = 0.5;

    /// <summary>Costs by name: what real machines' look like, and what would be hardest.</summary>
    public static Func<int, double> Shape(string name) =>
        name switch
        {
            "flat" => _ => 1,
            "steps" => rows => (rows <= 8 ? 1 + (0.01 * rows) : 1.25) + (0.03 * Math.Max(0, rows - 12)),
            "linear" => rows => 0.2 + (0.8 * rows),
            "bandwidth" => rows => Math.Max(1, rows / 16.0),
            "cliff" => rows => rows <= 24 ? 1 + (0.02 * rows) : 3 + (0.06 * rows),
            _ => throw new ArgumentException(name),
        };

    /// <summary>The profile of these costs, with a draft whose passes take a share of the target's.</summary>
    public static CostProfile Profile(Func<int, double> shape, double draftShare)
    {
        var rows = CostProfiler.RowCounts(400).ToArray();
        var target = Fit(rows, count => TargetMs * shape(count));
        var draft = Fit(rows, count => TargetMs * draftShare * shape(count));
        var rest = Fit([1], _ => RestMs);
        return new CostProfile(target, draft, rest, rest);
    }

    /// <summary>A curve of constant acceptance that has seen enough to be sure of it.</summary>
    public static SurvivalCurve Even(double chance)
    {
        var curve = new SurvivalCurve(null, 1);
        curve.Add([.. Enumerable.Repeat(chance, 12)], weight: 1e6);
        return curve;
    }

    public static GuardedSequence Guarded(double chance, int wish = 10, int lag = 1) => new(wish, true, lag, Even(chance), 1);

    public static GuardedSequence Given(double chance, int length) => new(length, false, 1, Even(chance), 1);

    private static CostCurve Fit(int[] rows, Func<int, double> milliseconds) =>
        CostCurve.Fit(rows.Select(count => (count, milliseconds(count)))) ?? throw new InvalidOperationException("There are no rows.");
}
