using Dsde.Speculation.Guarding;

namespace Dsde.Analytics.Costs;

/// <summary>
/// Costs of passes from the times of iterations that really ran: in the range of rows that they cover what was measured, beyond it the
/// straight line through it.
/// </summary>
internal static class CostFit
{
    private const int Reach = 2; // beyond the most rows seen, by which the line goes on for ever

    /// <summary>The curves, or none and why.</summary>
    /// <param name="iterations">Of one worker.</param>
    /// <param name="rest">Mean of everything but the passes, ms per iteration, by the mean rows of a pass.</param>
    public static (CostProfile? Profile, string Source) Fit(
        IReadOnlyList<TracedIteration> iterations,
        IReadOnlyList<(double Rows, double Milliseconds)> rest
    )
    {
        var drafting = iterations.Where(one => one.IsSpeculating).ToList();
        if (drafting.Count == 0)
        {
            return (null, "no profile was stored, and nothing was proposed, so that the traces don't tell what drafting costs");
        }

        if (iterations.Select(one => one.Rows).Distinct().Count() < 2)
        {
            return (null, "no profile was stored, and all iterations have equally many rows, so that further rows have no price");
        }

        var target = ToCurve([.. iterations.Select(one => (one.Rows, one.VerifyMs))]);
        var (perStep, perRow) = LeastSquares.Fit(drafting.Select(one => ((double)one.DraftSteps, one.DraftRows, one.DraftMs)));
        var (fixedRest, restPerRow) = LeastSquares.Fit(rest.Select(one => (1d, one.Rows, one.Milliseconds)));
        var most = Reach * iterations.Max(one => one.Rows);
        var restCurve = Line(fixedRest, restPerRow, most);
        return target.At(1) > 0
            ? (new CostProfile(target, Line(perStep, perRow, most), restCurve, restCurve), "a fit to the traces' own iterations")
            : (null, "no profile was stored, and the target's passes took no time");
    }

    private static CostCurve ToCurve(IReadOnlyList<(int Rows, double Milliseconds)> measured)
    {
        var (a, b) = LeastSquares.Fit(measured.Select(one => (1d, (double)one.Rows, one.Milliseconds)));
        var (fewest, most) = (measured.Min(one => one.Rows), measured.Max(one => one.Rows));
        var line = new[] { 1, Reach * most }.Where(rows => rows < fewest || rows > most).Select(rows => (rows, a + (b * rows)));
        return CostCurve.Fit(measured.Concat(line)) ?? throw new InvalidOperationException("There are measurements.");
    }

    private static CostCurve Line(double constant, double slope, int most) =>
        CostCurve.Fit([(1, constant + slope), (most, constant + (slope * most))])
        ?? throw new InvalidOperationException("There are two points.");
}
