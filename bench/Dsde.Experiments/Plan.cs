namespace Dsde.Experiments;

/// <summary>What is measured, for which question.</summary>
internal static class Plan
{
    /// <summary>The batch size of everything but <see cref="Batches"/>.</summary>
    public const int BatchSize = 8;

    /// <summary>No speculation: what latencies are held against.</summary>
    public const string Plain = "autoregressive";

    /// <summary>The paper's rule as it stands, cap included, and never asking what it costs.</summary>
    public const string Paper = "dsde-paper";

    /// <summary>The same without the cap.</summary>
    public const string NoCap = "dsde-paper-nocap";

    /// <summary>The paper's two temperatures.</summary>
    public static readonly IReadOnlyList<double> Temperatures = [0, 1];

    /// <summary>Fixed lengths; the best of them, found afterwards, is the paper's «static-opt».</summary>
    public static readonly IReadOnlyList<string> Statics = ["static:2", "static:4", "static:6", "static:8", "static:10"];

    /// <summary>Policies of the tables of latencies, in their order.</summary>
    public static readonly IReadOnlyList<string> Policies = [Plain, .. Statics, "adaedl", Paper, "dsde", "goodput"];

    /// <summary>Batch sizes of the cap's table.</summary>
    public static readonly IReadOnlyList<int> BatchSizes = [1, 4, 16, 64];

    /// <summary>Question 1: latency by policy and workload.</summary>
    public static IEnumerable<Cell> Latency =>
        Temperatures.SelectMany(temperature => Policies.Select(policy => new Cell(policy, temperature, BatchSize)));

    /// <summary>Question 2: the low-acceptance regime.</summary>
    public static IEnumerable<Cell> Mismatch => Policies.Select(policy => new Cell(policy, 0, BatchSize, IsMismatched: true));

    /// <summary>Question 3: growing batches, with and without the cap.</summary>
    public static IEnumerable<Cell> Batches =>
        Temperatures.SelectMany(temperature =>
            BatchSizes
                .SelectMany(size => new[] { Paper, NoCap }.Select(policy => new Cell(policy, temperature, size)))
                .Prepend(new Cell(Plain, temperature, 1))
        );

    /// <summary>Questions 4 to 6: traces in which nothing is unknown.</summary>
    public static IEnumerable<Cell> Surveys =>
        Temperatures.Select(temperature => new Cell(Paper, temperature, BatchSize, IsSurveyed: true));

    /// <summary>Cells that are timed, each once.</summary>
    public static IReadOnlyList<Cell> Timed => [.. Latency.Concat(Mismatch).Concat(Batches).Distinct()];
}
