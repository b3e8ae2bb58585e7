using System.Text.Json;
using Dsde.Analytics.Costs;
using Dsde.Analytics.Positions;
using Dsde.Persistence.Analysis;
using Dsde.Persistence.Jobs;
using Dsde.Speculation;
using Dsde.Speculation.Guarding;

namespace Dsde.Analytics.Replaying;

/// <summary>What there is to be replayed.</summary>
internal sealed record ReplaySet
{
    /// <summary>The outputs, by where they ran.</summary>
    public required IReadOnlyList<ReplaySource> Sources { get; init; }

    /// <summary>The policy that really ran; null for what is imported.</summary>
    public string? Policy { get; init; }

    /// <summary>Outputs that are left out, and why.</summary>
    public required IReadOnlyList<string> LeftOut { get; init; }

    /// <summary>What really ran; null for what is imported.</summary>
    public ReplayCounts? Measured => Sources.Select(source => source.Measured).Aggregate((sum, measured) => sum + measured);

    /// <summary>Reads traces from a database.</summary>
    /// <param name="reader">The database.</param>
    /// <param name="filter">Which traces.</param>
    /// <param name="settings">The engine that is stood for.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="AnalyticsException">There is nothing that can be replayed, or it is of several policies.</exception>
    public static async Task<ReplaySet> ReadAsync(
        ITraceReader reader,
        TraceFilter filter,
        ReplaySettings settings,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(reader);
        var traces = new List<StoredTrace>();
        await foreach (var trace in reader.ReadAsync(filter, cancellationToken))
        {
            traces.Add(trace);
        }

        if (traces.Count == 0)
        {
            throw new AnalyticsException("No output of a completed job is like that. Give another --batch, --policy, --workload or time.");
        }

        var policies = traces.GroupBy(trace => trace.Trace.Policy).OrderBy(group => group.Key, StringComparer.Ordinal).ToList();
        if (policies.Count > 1)
        {
            throw new AnalyticsException(
                $"The outputs ran under several policies ({string.Join(", ", policies.Select(group => $"{group.Key}: {group.Count()}"))}), "
                    + "and their iterations were shared. Choose the traces of one with --policy."
            );
        }

        var profiles = await reader.ReadCostProfilesAsync(cancellationToken);
        var leftOut = new Omissions();
        var sources = new List<ReplaySource>();
        foreach (var group in traces.GroupBy(trace => (trace.WorkerStartId, trace.WorkerId)))
        {
            var profile =
                settings.Costs is { } costs ? CostProfile.Of(costs)
                : group.Key.WorkerStartId is { } start && profiles.TryGetValue(start, out var json) ? ReadProfile(json)
                : null;
            if (Assemble([.. group], settings, profile, leftOut) is { } source)
            {
                sources.Add(source);
            }
        }

        return sources.Count > 0
            ? new ReplaySet
            {
                Sources = sources,
                Policy = policies[0].Key,
                LeftOut = leftOut.Describe(),
            }
            : throw new AnalyticsException("None of the outputs can be replayed: " + string.Join("; ", leftOut.Describe()) + ".");
    }

    /// <summary>Makes sure that costs can be used.</summary>
    /// <exception cref="FormatException">They can't.</exception>
    public static void Check(EngineCosts costs) => _ = CostProfile.Of(costs);

    private static ReplaySource? Assemble(List<StoredTrace> traces, ReplaySettings settings, CostProfile? profile, Omissions leftOut)
    {
        leftOut.LookedUp += traces.RemoveAll(stored => stored.Trace.LookupProposed > 0);
        leftOut.Forced += traces.RemoveAll(stored => stored.Trace.Forced > 0);
        var outputs = new List<PositionTrace>();
        var replayed = new List<StoredTrace>();
        foreach (var stored in traces.OrderBy(trace => trace.StoredAt - TimeSpan.FromMilliseconds(trace.Trace.TotalMs)))
        {
            if (PositionConversion.ToPositions(stored) is not { } output)
            {
                leftOut.WithoutSeries++;
            }
            else if (output.KnownCount == 0 && output.Count > 1)
            {
                leftOut.WithoutDraft++;
            }
            else
            {
                outputs.Add(output);
                replayed.Add(stored);
            }
        }

        if (outputs.Count == 0)
        {
            return null;
        }

        var costs = TraceCosts.Of(traces, replayed, profile);
        var most = replayed.Max(trace => trace.Trace.IterationBatchSize is { Length: > 0 } sizes ? sizes.Max() : 1);
        costs = Calibrate(costs, new Replayed(outputs, most, replayed[0].Trace), settings.MaxSpeculationLength);
        return new ReplaySource(
            outputs,
            settings.BatchSize ?? most,
            costs,
            new ReplayCounts(
                replayed.Count,
                replayed.Sum(trace => (double)trace.Trace.CompletionTokens),
                replayed.Sum(trace => (double)trace.Trace.Iterations),
                replayed.Sum(trace => (double)trace.Trace.SpeculatingIterations),
                replayed.Sum(trace => (double)trace.Trace.Proposed),
                replayed.Sum(trace => (double)trace.Trace.Accepted),
                costs.MachineMs
            )
        );
    }

    /// <summary>
    /// Sets the pace by replaying what really ran: what the replay does not know, such as how full the batch really was, is then the same
    /// in what it is compared with. Not where lengths follow the clock, so that a replay is another run.
    /// </summary>
    private static TraceCosts Calibrate(TraceCosts costs, Replayed really, int maxSpeculationLength)
    {
        if (costs.Profile is not { } profile || really.Any.IsGuarded)
        {
            return costs;
        }

        var chooser = new PolicyChooser(PolicyConfiguration.Parse(really.Any.Policy), maxSpeculationLength, profile);
        var run = new ReplayRun(chooser, really.BatchSize, profile);
        run.Run(really.Outputs.Select((output, index) => new ResolvedPositions(output, index)));
        return run.Milliseconds > 0 ? costs with { Profile = profile.Times(costs.IterationMs / run.Milliseconds.Value) } : costs;
    }

    private static CostProfile? ReadProfile(string json)
    {
        try
        {
            return CostProfile.Of(EngineCostsJson.Read(json));
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            return null; // as if none were stored: the traces' own times remain
        }
    }

    /// <summary>What really ran, and the trace of any of it.</summary>
    private readonly record struct Replayed(IReadOnlyList<PositionTrace> Outputs, int BatchSize, JobTrace Any);

    private sealed class Omissions
    {
        public int WithoutSeries { get; set; }

        public int WithoutDraft { get; set; }

        public int LookedUp { get; set; }

        public int Forced { get; set; }

        public List<string> Describe()
        {
            var reasons = new List<string>();
            if (WithoutSeries > 0)
            {
                reasons.Add(
                    $"{WithoutSeries} outputs were stored without their iterations and tokens (Dsde:Worker:TelemetryLevel = tokens "
                        + "keeps them)"
                );
            }

            if (WithoutDraft > 0)
            {
                reasons.Add(
                    $"{WithoutDraft} outputs never met the draft, so that nobody knows where it is right (run them with a "
                        + "policy that drafts, or at level replay)"
                );
            }

            if (LookedUp > 0)
            {
                reasons.Add(
                    $"{LookedUp} outputs have proposals of lookup, whose iterations say nothing of the draft (run them with proposer draft)"
                );
            }

            if (Forced > 0)
            {
                reasons.Add($"{Forced} outputs have tokens that their format forced, of which the replay knows nothing");
            }

            return reasons;
        }
    }
}
