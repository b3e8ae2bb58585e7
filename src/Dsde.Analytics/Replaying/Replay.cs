using Dsde.Analytics.Positions;
using Dsde.Speculation;
using Dsde.Speculation.Guarding;

namespace Dsde.Analytics.Replaying;

/// <summary>Replays policies over outputs of which it is known where the draft is right.</summary>
/// <param name="sources">The outputs, by the worker they ran on.</param>
/// <param name="maxSpeculationLength">Upper bound of every length, as the engine has it.</param>
internal sealed class Replay(IReadOnlyList<ReplaySource> sources, int maxSpeculationLength)
{
    /// <summary>The name under which the best that any policy could do is told.</summary>
    public const string Oracle = "oracle";

    private const int Draws = 16; // of acceptances, where they are by chance
    private const int MostValuations = 8; // of a token, until the oracle agrees with itself
    private const double Agreement = 1e-3;

    private readonly bool _isByChance = sources.Any(source => source.Outputs.Any(output => output.IsByChance));

    /// <summary>What a policy would have come to.</summary>
    /// <param name="policy">Which.</param>
    /// <param name="paper">The numbers of the paper's rule; null for the paper's own.</param>
    /// <exception cref="AnalyticsException">It is a guarded policy, and nobody knows what iterations cost.</exception>
    public ReplayResult Run(PolicyConfiguration policy, DsdeOptions? paper = null)
    {
        var isGuarded = PolicyFactory.Create(policy, maxSpeculationLength).IsGuarded;
        var (counts, exact, unknownSignals) = (default(ReplayCounts?), 0, 0);
        var unknown = new SortedSet<(string, int)>();
        var reservations = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var source in sources)
        {
            var costs = source.Costs?.Profile;
            if (isGuarded && costs is null)
            {
                throw new AnalyticsException(
                    $"Policy {policy} asks what iterations cost, which these traces don't tell: "
                        + $"{source.Costs?.Source ?? "they have no times"}. Give a policy without the cost guard (dsde-paper, static:K, "
                        + "adaedl), or the costs with --costs."
                );
            }

            for (var draw = 0; draw < DrawCount; draw++)
            {
                var run = new ReplayRun(new PolicyChooser(policy, maxSpeculationLength, costs, paper), source.BatchSize, costs);
                var sequences = run.Run(Resolve(source, draw));
                Add(ref counts, Count(sequences, run, source));
                unknownSignals += draw == 0 ? sequences.Sum(sequence => sequence.UnknownSignals) : 0;
                foreach (var sequence in draw == 0 ? sequences : [])
                {
                    unknown.UnionWith(sequence.UnknownBits.Select(position => (sequence.Positions.Trace.Name, position)));
                    var reasons = Doubts(policy, isGuarded, source, sequence).ToList();
                    reservations.UnionWith(reasons);
                    exact += reasons.Count == 0 ? 1 : 0;
                }
            }
        }

        return new ReplayResult
        {
            Policy = policy.ToString(),
            Counts = 1d / DrawCount * (counts ?? default),
            ExactOutputs = exact,
            Reservations = [.. reservations],
            UnknownPositions = [.. unknown.Select(one => new UnknownPosition(one.Item1, one.Item2))],
            UnknownSignals = unknownSignals,
        };
    }

    /// <summary>
    /// The best that any policy could do: one that knows where the draft is right, proposes nothing that is rejected, and goes only as far
    /// as it pays. What a token is worth follows from the result, so that it is sought until both agree.
    /// </summary>
    public ReplayResult RunOracle()
    {
        ReplayCounts? counts = null;
        foreach (var source in sources)
        {
            for (var draw = 0; draw < DrawCount; draw++)
            {
                Add(ref counts, FindBest(source, draw));
            }
        }

        return new ReplayResult
        {
            Policy = Oracle,
            Counts = 1d / DrawCount * (counts ?? default),
            ExactOutputs = 0,
            Reservations = ["no policy can know beforehand where the draft is right"],
            UnknownPositions = [],
            UnknownSignals = 0,
        };
    }

    /// <summary>The iterations of single outputs, for those who want to see them; only where nothing is by chance.</summary>
    public IReadOnlyList<ReplayedSequence> Trace(PolicyConfiguration policy) =>
        [
            .. sources.SelectMany(source =>
                new ReplayRun(
                    new PolicyChooser(policy, maxSpeculationLength, source.Costs?.Profile),
                    source.BatchSize,
                    source.Costs?.Profile
                ).Run(Resolve(source, draw: 0))
            ),
        ];

    private int DrawCount => _isByChance ? Draws : 1;

    private ReplayCounts FindBest(ReplaySource source, int draw)
    {
        var costs = source.Costs?.Profile;
        var tokenMs = costs?.Price(source.BatchSize, 0, IterationKind.Plain) / source.BatchSize ?? 1;
        ReplayCounts best = default;
        for (var valuation = 0; valuation < MostValuations; valuation++)
        {
            var run = new ReplayRun(new ForesightChooser(maxSpeculationLength, costs, tokenMs), source.BatchSize, costs);
            var counts = Count(run.Run(Resolve(source, draw)), run, source);
            if (valuation == 0 || counts.Milliseconds < best.Milliseconds)
            {
                best = counts;
            }

            var found = run.Milliseconds / Math.Max(1, counts.Tokens - counts.Outputs);
            if (found is not { } milliseconds || Math.Abs(milliseconds - tokenMs) < Agreement * tokenMs)
            {
                break;
            }

            tokenMs = milliseconds;
        }

        return best;
    }

    private static IEnumerable<ResolvedPositions> Resolve(ReplaySource source, int draw) =>
        source.Outputs.Select((output, index) => new ResolvedPositions(output, unchecked((draw * 1_000_003) + index)));

    private static ReplayCounts Count(IReadOnlyList<ReplayedSequence> sequences, ReplayRun run, ReplaySource source) =>
        new(
            sequences.Count,
            sequences.Sum(sequence => (double)sequence.Positions.Trace.Count),
            sequences.Sum(sequence => (double)sequence.Iterations.Count),
            sequences.Sum(sequence => (double)sequence.Iterations.Count(iteration => iteration.Proposed > 0)),
            sequences.Sum(sequence => (double)sequence.Iterations.Sum(iteration => iteration.Proposed)),
            sequences.Sum(sequence => (double)sequence.Kept),
            run.Milliseconds + source.Costs?.PrefillMs
        );

    private static void Add(ref ReplayCounts? sum, ReplayCounts counts) => sum = sum is { } before ? before + counts : counts;

    private static IEnumerable<string> Doubts(PolicyConfiguration policy, bool isGuarded, ReplaySource source, ReplayedSequence sequence)
    {
        if (sequence.Positions.Trace.IsByChance)
        {
            yield return "acceptance is by chance (rejection sampling): an expectation from β";
        }

        if (isGuarded)
        {
            yield return "the cost guard follows the clock";
        }

        if (PolicyNeeds.LooksAtBatch(policy) && source.BatchSize > 1)
        {
            yield return "it looks at the whole batch, and who was together in it is simulated";
        }

        if (sequence.UnknownBits.Count > 0)
        {
            yield return "at some positions it is not known whether the draft is right";
        }

        if (sequence.UnknownSignals > 0)
        {
            yield return "some of what it decides by was never measured";
        }
    }
}
