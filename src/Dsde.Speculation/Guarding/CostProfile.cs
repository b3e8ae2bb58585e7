using System.Globalization;

namespace Dsde.Speculation.Guarding;

/// <summary>What iterations cost on this machine with these models, by the rows of their passes.</summary>
/// <param name="Target">A pass of the target.</param>
/// <param name="Draft">A step of the draft; free where there is none.</param>
/// <param name="PlainRest">Everything but the passes in an iteration without proposals, by rows of the target's pass.</param>
/// <param name="SpeculatingRest">The same with proposals of the draft.</param>
internal sealed record CostProfile(CostCurve Target, CostCurve Draft, CostCurve PlainRest, CostCurve SpeculatingRest)
{
    private static readonly CostCurve Free = CostCurve.Fit([(1, 0d)]) ?? throw new InvalidOperationException("There is a point.");

    /// <summary>The rest of an iteration whose proposals all come from lookup.</summary>
    public CostCurve LookupRest { get; init; } = SpeculatingRest;

    /// <summary>
    /// The profile of measured iterations; null unless there are some with and some without proposals, and the clock went on meanwhile.
    /// </summary>
    public static CostProfile? Fit(IReadOnlyCollection<IterationTiming> iterations)
    {
        var target = CostCurve.Fit(iterations.Select(iteration => (iteration.Verify.Rows, iteration.Verify.Milliseconds)));
        var draft = CostCurve.Fit(iterations.SelectMany(iteration => iteration.Drafts).Select(pass => (pass.Rows, pass.Milliseconds)));
        var plain = FitRest(iterations, IterationKind.Plain);
        var drafting = FitRest(iterations, IterationKind.Drafting);
        var lookingUp = FitRest(iterations, IterationKind.LookingUp);
        return target?.At(1) > 0 && plain is not null && (drafting ?? lookingUp) is { } speculating
            ? new CostProfile(target, draft ?? Free, plain, speculating) { LookupRest = lookingUp ?? speculating }
            : null;
    }

    /// <summary>Milliseconds that an iteration is expected to take; how much of it is draft passes is the caller's to say.</summary>
    /// <param name="rows">Rows of the target's pass.</param>
    /// <param name="draftMs">In draft passes.</param>
    /// <param name="kind">Where the proposals among the rows come from.</param>
    public double Price(int rows, double draftMs, IterationKind kind) => Target.At(rows) + draftMs + RestOf(kind).At(rows);

    /// <summary>The same for an iteration that was made.</summary>
    public double Price(in IterationTiming made)
    {
        double draftMs = 0;
        foreach (var pass in made.Drafts)
        {
            draftMs += Draft.At(pass.Rows);
        }

        return Price(made.Verify.Rows, draftMs, made.Kind);
    }

    /// <summary>The profile of a machine that takes so many times as long.</summary>
    public CostProfile Times(double factor) =>
        new(Target.Times(factor), Draft.Times(factor), PlainRest.Times(factor), SpeculatingRest.Times(factor))
        {
            LookupRest = LookupRest.Times(factor),
        };

    /// <summary>The same for those outside.</summary>
    public EngineCosts ToCosts() =>
        new(ToCosts(Target), ToCosts(Draft), ToCosts(PlainRest), ToCosts(SpeculatingRest)) { LookupRest = ToCosts(LookupRest) };

    /// <summary>What was told to those outside.</summary>
    /// <exception cref="FormatException">A curve has no points, or one of no rows or of negative time.</exception>
    public static CostProfile Of(EngineCosts costs)
    {
        var speculating = ToCurve(nameof(costs.SpeculatingRest), costs.SpeculatingRest);
        return new CostProfile(
            ToCurve(nameof(costs.Target), costs.Target),
            ToCurve(nameof(costs.Draft), costs.Draft),
            ToCurve(nameof(costs.PlainRest), costs.PlainRest),
            speculating
        )
        {
            LookupRest = costs.LookupRest is null ? speculating : ToCurve(nameof(costs.LookupRest), costs.LookupRest),
        };
    }

    /// <summary>For the log: the time of target passes and draft steps of some numbers of rows.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"target {Describe(Target)}; draft {Describe(Draft)} ms by rows");

    private static PassCost[] ToCosts(CostCurve curve) => [.. curve.Knots.Select(knot => new PassCost(knot.Rows, knot.Milliseconds))];

    private static CostCurve ToCurve(string name, IReadOnlyList<PassCost>? points) =>
        points?.All(point => point.Rows > 0 && point.Ms >= 0) == true
        && CostCurve.Fit(points.Select(point => (point.Rows, point.Ms))) is { } curve
            ? curve
            : throw new FormatException($"The costs have no curve {name}: points of at least one row and no negative time.");

    private static string Describe(CostCurve curve) =>
        string.Join(
            ", ",
            curve.Knots.Select(knot => string.Create(CultureInfo.InvariantCulture, $"{knot.Rows}: {knot.Milliseconds:0.##}"))
        );

    private static CostCurve? FitRest(IEnumerable<IterationTiming> iterations, IterationKind kind) =>
        CostCurve.Fit(iterations.Where(iteration => iteration.Kind == kind).Select(iteration => (iteration.Verify.Rows, iteration.RestMs)));

    private CostCurve RestOf(IterationKind kind) =>
        kind switch
        {
            IterationKind.Plain => PlainRest,
            IterationKind.LookingUp => LookupRest,
            _ => SpeculatingRest,
        };
}
