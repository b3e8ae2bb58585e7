namespace Dsde.Batches.Reporting;

/// <summary>One row of the table that ends a run. Rates are null where nothing was measured.</summary>
internal sealed record WorkloadRow
{
    /// <summary>The label <c>workload</c> of the jobs' metadata.</summary>
    public required string Workload { get; init; }

    public required int JobCount { get; init; }

    /// <summary>Jobs of these without an output.</summary>
    public required int FailedCount { get; init; }

    public required long CompletionTokens { get; init; }

    /// <summary>Accepted / proposed tokens, 0 to 1.</summary>
    public double? AcceptanceRate { get; init; }

    /// <summary>Tokens per target pass.</summary>
    public double? BlockEfficiency { get; init; }

    /// <summary>Over all proposed positions, in nats.</summary>
    public double? MeanKld { get; init; }

    public double? P50LatencyMs { get; init; }

    public double? P95LatencyMs { get; init; }

    public double? TokensPerSecond { get; init; }

    /// <summary>Time without speculation / time with it, on a sample of the same jobs.</summary>
    public double? SpeedUp { get; init; }

    /// <summary>Jobs for which the cost guard decided whether to speculate.</summary>
    public int DecidedCount { get; init; }

    /// <summary>Of these, jobs for which it allowed speculation in more than half of the iterations.</summary>
    public int PaidCount { get; init; }
}
