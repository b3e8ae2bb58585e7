namespace Dsde.Benchmarks;

/// <summary>What is to be compared.</summary>
internal sealed record BenchSettings
{
    /// <summary>
    /// Compared when none are named: no speculation, the static lengths of which the best is the strongest baseline, and what chooses
    /// lengths by itself.
    /// </summary>
    public static readonly IReadOnlyList<string> StandardPolicies =
    [
        "autoregressive",
        "static:2",
        "static:4",
        "static:6",
        "static:8",
        "static:10",
        "adaedl",
        "dsde",
        "dsde-paper",
        "dsde-paper-nocap",
        "goodput",
    ];

    /// <summary>The policies, in the order of the table.</summary>
    public required IReadOnlyList<ComparedPolicy> Policies { get; init; }

    /// <summary>Most sequences at once, each measured by itself.</summary>
    public required IReadOnlyList<int> BatchSizes { get; init; }

    /// <summary>Temperatures, each measured by itself; null for what the jobs say.</summary>
    public required IReadOnlyList<double?> Temperatures { get; init; }

    /// <summary>Repetitions of everything.</summary>
    public required int Rounds { get; init; }

    /// <summary>
    /// Seconds that a policy works in a round, at least: a workload that is over sooner is repeated. What is shorter is decided by the
    /// machine's whims.
    /// </summary>
    public double RoundSeconds { get; init; }

    /// <summary>
    /// Workloads to measure by themselves; null for all there are. The name <see cref="BenchWorkload.Mixed"/> stands for all jobs together.
    /// </summary>
    public IReadOnlyList<string>? Workloads { get; init; }

    /// <summary>Upper bound of the jobs' token limits; null for none.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Whether every output runs to its token limit, so that all policies generate equally much.</summary>
    public bool IgnoresEnds { get; init; }
}
