using Dsde.Batches.Reporting;
using Dsde.Pipeline.Telemetry;
using Dsde.Speculation;
using Dsde.Statistics;

namespace Dsde.Benchmarks;

/// <summary>What one policy did on one workload; rates are null where nothing was measured.</summary>
internal sealed record BenchRow
{
    public required int BatchSize { get; init; }

    /// <summary>Null where the jobs' own hold.</summary>
    public required double? Temperature { get; init; }

    public required string Workload { get; init; }

    /// <summary>With the proposer, where one was named.</summary>
    public required string Policy { get; init; }

    public required int JobCount { get; init; }

    public required int Rounds { get; init; }

    /// <summary>Median over the rounds.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>How far the rounds were apart, as a share of the median.</summary>
    public required double Spread { get; init; }

    /// <summary>Median over the rounds.</summary>
    public required double P50LatencyMs { get; init; }

    /// <summary>Median over the rounds.</summary>
    public required double P95LatencyMs { get; init; }

    /// <summary>Accepted / proposed tokens, 0 to 1.</summary>
    public double? AcceptanceRate { get; init; }

    /// <summary>Tokens per target pass of a sequence.</summary>
    public double? BlockEfficiency { get; init; }

    /// <summary>Share of iterations' time in draft passes, 0 to 1.</summary>
    public double? DraftShare { get; init; }

    /// <summary>In target passes.</summary>
    public double? VerifyShare { get; init; }

    /// <summary>In everything else.</summary>
    public double? OtherShare { get; init; }

    /// <summary>Median over the rounds of tokens/s by those of autoregressive decoding in the same round.</summary>
    public double? SpeedUp { get; init; }

    /// <summary>How sure that is; null with too few rounds.</summary>
    public Interval? SpeedUpInterval { get; init; }

    /// <summary>The same by the static length whose median is best.</summary>
    public double? SpeedUpOverBestStatic { get; init; }

    /// <summary>How sure that is; null as above.</summary>
    public Interval? SpeedUpOverBestStaticInterval { get; init; }

    /// <summary>Whether this is that static length.</summary>
    public bool IsBestStatic { get; init; }

    /// <summary>Rows of one workload: its policies side by side.</summary>
    /// <param name="batchSize">Most sequences at once.</param>
    /// <param name="temperature">Null where the jobs' own hold.</param>
    /// <param name="workload">What was run.</param>
    /// <param name="policies">The policies.</param>
    /// <param name="samples">Per policy a sample per round, in the same order of rounds.</param>
    public static IReadOnlyList<BenchRow> Create(
        int batchSize,
        double? temperature,
        BenchWorkload workload,
        IReadOnlyList<ComparedPolicy> policies,
        IReadOnlyList<IReadOnlyList<RunSample>> samples
    )
    {
        var autoregressive = policies
            .Index()
            .Where(pair => pair.Item.Policy.Kind == PolicyKind.Autoregressive)
            .Select(pair => samples[pair.Index])
            .FirstOrDefault();
        var bestStatic = policies
            .Index()
            .Where(pair => pair.Item.Policy.Kind == PolicyKind.Static)
            .Select(pair => samples[pair.Index])
            .MaxBy(MedianSpeed);
        return
        [
            .. policies.Select(
                (policy, index) =>
                {
                    var (overPlain, overBest) = (Ratios(samples[index], autoregressive), Ratios(samples[index], bestStatic));
                    return Create(batchSize, temperature, workload, policy, samples[index]) with
                    {
                        SpeedUp = MedianOf(overPlain),
                        SpeedUpInterval = Bootstrap.OfMedian(overPlain),
                        SpeedUpOverBestStatic = MedianOf(overBest),
                        SpeedUpOverBestStaticInterval = Bootstrap.OfMedian(overBest),
                        IsBestStatic = samples[index] == bestStatic,
                    };
                }
            ),
        ];
    }

    private static BenchRow Create(
        int batchSize,
        double? temperature,
        BenchWorkload workload,
        ComparedPolicy policy,
        IReadOnlyList<RunSample> rounds
    )
    {
        double draft = rounds.Sum(round => round.DraftMs),
            verify = rounds.Sum(round => round.VerifyMs),
            other = rounds.Sum(round => round.OtherMs);
        return new BenchRow
        {
            BatchSize = batchSize,
            Temperature = temperature,
            Workload = workload.Name,
            Policy = policy.ToString(),
            JobCount = workload.Requests.Count,
            Rounds = rounds.Count,
            TokensPerSecond = MedianSpeed(rounds),
            Spread = Samples.Spread([.. rounds.Select(round => round.TokensPerSecond)]),
            P50LatencyMs = Samples.Median(rounds.Select(round => round.P50LatencyMs)),
            P95LatencyMs = Samples.Median(rounds.Select(round => round.P95LatencyMs)),
            AcceptanceRate = Share(rounds.Sum(round => round.Accepted), rounds.Sum(round => round.Proposed)),
            BlockEfficiency = Share(rounds.Sum(round => round.IterationTokens), rounds.Sum(round => round.Iterations)),
            DraftShare = Share(draft, draft + verify + other),
            VerifyShare = Share(verify, draft + verify + other),
            OtherShare = Share(other, draft + verify + other),
        };
    }

    private static double MedianSpeed(IReadOnlyList<RunSample> rounds) => Samples.Median(rounds.Select(round => round.TokensPerSecond));

    /// <summary>Round by round, so that a machine that gets slower slows both sides.</summary>
    private static List<double> Ratios(IReadOnlyList<RunSample> rounds, IReadOnlyList<RunSample>? baseline) =>
        baseline is null ? [] : [.. rounds.Zip(baseline, (round, other) => round.TokensPerSecond / other.TokensPerSecond)];

    private static double? MedianOf(List<double> ratios) => ratios.Count == 0 ? null : Samples.Median(ratios);

    private static double? Share(double part, double whole) => whole > 0 ? part / whole : null;
}
