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

    /// <summary>Time in iterations, ms.</summary>
    public required double IterationMs { get; init; }

    /// <summary>
    /// Time in which the worker had at least one of the outputs, ms: from the arrival of each in the engine to its end, overlaps counted
    /// once.
    /// </summary>
    public required double BusyMs { get; init; }

    /// <summary>What is not iterations: prompts, above all, and the first wait for them.</summary>
    public double OtherMs => Math.Max(0, BusyMs - IterationMs);

    /// <summary>Finds all of that out.</summary>
    /// <param name="traces">Of one start of a worker; at least one.</param>
    /// <param name="profile">What the worker has measured before; null if that was not stored.</param>
    public static TraceCosts Of(IReadOnlyList<StoredTrace> traces, CostProfile? profile)
    {
        var all = traces.Select(stored => stored.Trace).ToList();
        var iterations = TracedIterations.Find(all);
        var iterationMs = all.Sum(trace => trace.DraftShareMs + trace.VerifyShareMs + trace.SamplingShareMs);
        var (fitted, source) = profile is null
            ? CostFit.Fit(iterations, RestOf(all))
            : (Scale(profile, iterations, all), "the worker's own profile, at the pace at which its iterations really ran");
        return new TraceCosts
        {
            Profile = fitted,
            Source = source,
            IterationMs = iterationMs,
            BusyMs = BusyOf(traces),
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

    private static double BusyOf(IReadOnlyList<StoredTrace> traces)
    {
        double busy = 0;
        var until = DateTimeOffset.MinValue;
        foreach (
            var (from, to) in traces
                .Select(stored => (From: stored.StoredAt - TimeSpan.FromMilliseconds(stored.Trace.TotalMs), To: stored.StoredAt))
                .OrderBy(span => span.From)
        )
        {
            var begin = from > until ? from : until;
            if (to > begin)
            {
                busy += (to - begin).TotalMilliseconds;
                until = to;
            }
        }

        return busy;
    }
}
