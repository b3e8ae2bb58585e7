using Dsde.Persistence.Analysis;
using Dsde.Persistence.Jobs;
using Dsde.Speculation.Guarding;

namespace Dsde.Analytics.Costs;

/// <summary>What iterations of a worker cost, and what its traces took.</summary>
internal sealed record TraceCosts
{
    /// <summary>The curves, at the pace of the traces; null if the traces don't tell.</summary>
    public CostProfile? Profile { get; init; }

    /// <summary>Where the curves are from, or why there are none.</summary>
    public required string Source { get; init; }

    /// <summary>Time of the replayed outputs' iterations, ms.</summary>
    public required double IterationMs { get; init; }

    /// <summary>Time of passes over their prompts, ms.</summary>
    public required double PrefillMs { get; init; }

    /// <summary>
    /// The machine's time that the replayed outputs took, ms: their shares of all passes. Surveys and other jobs in the same batch are no
    /// part of it.
    /// </summary>
    public double MachineMs => IterationMs + PrefillMs;

    /// <summary>Finds all of that out.</summary>
    /// <param name="traces">Of one start of a worker, all whose proposals are a draft's: they tell what an iteration cost.</param>
    /// <param name="replayed">Those of them that are replayed, which tell what there is to compare with.</param>
    /// <param name="profile">What the worker has measured before; null if that was not stored.</param>
    public static TraceCosts Of(IReadOnlyList<StoredTrace> traces, IReadOnlyList<StoredTrace> replayed, CostProfile? profile)
    {
        var all = traces.Select(stored => stored.Trace).ToList();
        var iterations = TracedIterations.Find(all);
        var (fitted, source) = profile is null
            ? CostFit.Fit(iterations, RestOf(all))
            : (Scale(profile, iterations, all), "the worker's own profile, at the pace at which its iterations really ran");
        return new TraceCosts
        {
            Profile = fitted,
            Source = source,
            IterationMs = replayed.Sum(one => one.Trace.DraftShareMs + one.Trace.VerifyShareMs + one.Trace.SamplingShareMs),
            PrefillMs = replayed.Sum(one => one.Trace.PrefillShareMs),
        };
    }

    /// <summary>The worker's own profile, by how much longer its iterations really took.</summary>
    private static CostProfile Scale(CostProfile profile, IReadOnlyList<TracedIteration> iterations, IReadOnlyList<JobTrace> traces)
    {
        var (expected, measured) = (0d, 0d);
        foreach (var one in iterations)
        {
            var stepRows = one.IsSpeculating ? Math.Max(1, (int)Math.Round(one.DraftRows / one.DraftSteps)) : 1;
            expected += profile.Price(one.Rows, one.DraftSteps * profile.Draft.At(stepRows), one.Kind);
            measured += one.DraftMs + one.VerifyMs;
        }

        var passes = traces.Sum(trace => trace.DraftMs + trace.VerifyMs);
        var whole = passes > 0 ? measured * (1 + (traces.Sum(trace => trace.SamplingMs) / passes)) : 0;
        return expected > 0 && whole > 0 ? profile.Times(whole / expected) : profile;
    }

    /// <summary>Mean of everything but the passes per iteration, by the mean rows of a pass, of each output.</summary>
    private static List<(double Rows, double Milliseconds)> RestOf(IReadOnlyList<JobTrace> traces) =>
        [
            .. traces
                .Where(trace => trace.IterationBatchRows is { Length: > 0 })
                .Select(trace => (trace.IterationBatchRows!.Average(), trace.SamplingMs / trace.Iterations)),
        ];
}
