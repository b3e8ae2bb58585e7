namespace Dsde.Analytics.Replaying;

/// <summary>A replay as it is told to programs: the numbers of docs/analytics.md.</summary>
public sealed record ReplayReport
{
    /// <summary>The policy that really ran; null for what is imported.</summary>
    public string? RanPolicy { get; init; }

    /// <summary>What really ran; null for what is imported.</summary>
    public ReplayCounts? Ran { get; init; }

    /// <summary>Where the prices of iterations are from, each worker's once; empty if nobody knows times.</summary>
    public required IReadOnlyList<string> Costs { get; init; }

    /// <summary>Outputs that could not be replayed, and why.</summary>
    public required IReadOnlyList<string> LeftOut { get; init; }

    /// <summary>Outputs that were.</summary>
    public required int Outputs { get; init; }

    /// <summary>What the policies would have come to, in the order in which they were asked for; the oracle is last.</summary>
    public required IReadOnlyList<ReplayResult> Results { get; init; }

    /// <summary>Replays policies, and the oracle.</summary>
    /// <param name="set">What there is.</param>
    /// <param name="policies">Which policies.</param>
    /// <param name="maxSpeculationLength">Upper bound of every length.</param>
    /// <exception cref="AnalyticsException">A policy can't be replayed.</exception>
    internal static ReplayReport Create(ReplaySet set, IReadOnlyList<Speculation.PolicyConfiguration> policies, int maxSpeculationLength)
    {
        var replay = new Replay(set.Sources, maxSpeculationLength);
        return new ReplayReport
        {
            RanPolicy = set.Policy,
            Ran = set.Measured,
            Costs = [.. set.Sources.Select(source => source.Costs?.Source).OfType<string>().Distinct()],
            LeftOut = set.LeftOut,
            Outputs = set.Sources.Sum(source => source.Outputs.Count),
            Results = [.. policies.Select(policy => replay.Run(policy)), replay.RunOracle()],
        };
    }
}
