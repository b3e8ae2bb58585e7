using Dsde.Persistence.Analysis;
using Dsde.Speculation.Guarding;

namespace Dsde.Analytics.Costs;

/// <summary>What iterations of a worker cost, and what its traces took.</summary>
internal sealed record TraceCosts
{
    /// <summary>The curves, at the pace of the traces; null if the traces don't tell.</summary>
    public CostProfile? Profile { get; init; }

    /// <summary>Why there are no curves.</summary>
    public string? WhyNone { get; init; }

    /// <summary>Time in iterations, ms, each counted once.</summary>
    public required double IterationMs { get; init; }

    /// <summary>
    /// Time in which the worker had at least one of the outputs, ms: from the arrival of each in the engine to its end, overlaps counted
    /// once.
    /// </summary>
    public required double BusyMs { get; init; }

    /// <summary>What is not iterations: prompts, above all, and the first wait for them.</summary>
    public double OtherMs => Math.Max(0, BusyMs - IterationMs);

    /// <summary>Finds all of that out.</summary>
    /// <param name="traces">Of one worker; at least one.</param>
    /// <param name="profile">What the worker has measured before; null if that was not stored.</param>
    public static TraceCosts Of(IReadOnlyList<StoredTrace> traces, CostProfile? profile)
    {
        var iterations = TracedIterations.Find(traces);
        var rest = RestOf(traces);
        var measured =
            iterations.Sum(one => (one.DraftMs + one.VerifyMs) * one.Present / one.BatchSize) + traces.Sum(stored => SharedRestMs(stored));
        var (fitted, whyNone) = profile is null ? CostFit.Fit(iterations, rest) : (Scale(profile, iterations, measured), null);
        return new TraceCosts
        {
            Profile = fitted,
            WhyNone = whyNone,
            IterationMs = measured,
            BusyMs = BusyOf(traces),
        };
    }

    /// <summary>The worker's own profile, by how much longer its iterations really took.</summary>
    private static CostProfile Scale(CostProfile profile, IReadOnlyList<TracedIteration> iterations, double measuredMs)
    {
        double expected = 0;
        foreach (var one in iterations)
        {
            var rows = (int)Math.Round(one.Rows);
            var stepRows = one.DraftSteps == 0 ? 0 : Math.Max(1, (int)Math.Round(one.DraftRows / one.DraftSteps));
            var draftMs = one.DraftSteps * (stepRows == 0 ? 0 : profile.Draft.At(stepRows));
            expected += profile.Price(rows, draftMs, one.DraftSteps > 0) * one.Present / one.BatchSize;
        }

        return expected > 0 ? profile.Times(measuredMs / expected) : profile;
    }

    /// <summary>Mean of everything but the passes per iteration, by the mean rows of a pass, of each output.</summary>
    private static List<(double Rows, double Milliseconds)> RestOf(IReadOnlyList<StoredTrace> traces)
    {
        var rest = new List<(double, double)>();
        foreach (var trace in traces.Select(stored => stored.Trace).Where(trace => trace.Iterations > 0))
        {
            var rows = trace.IterationBatchSize.Zip(trace.IterationLength, (batch, length) => (double)batch * (length + 1)).Average();
            rest.Add((rows, trace.SamplingMs / trace.Iterations));
        }

        return rest;
    }

    private static double SharedRestMs(StoredTrace stored) =>
        stored.Trace.Iterations == 0 ? 0 : stored.Trace.SamplingMs * stored.Trace.IterationBatchSize.Average(batch => 1d / batch);

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
