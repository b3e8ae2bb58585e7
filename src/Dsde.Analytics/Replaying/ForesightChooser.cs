using Dsde.Speculation;
using Dsde.Speculation.Guarding;

namespace Dsde.Analytics.Replaying;

/// <summary>
/// Knows beforehand where the draft is right and where the output ends, and proposes no token that is not kept: no further than pays, by
/// what a token is worth.
/// </summary>
/// <param name="maxSpeculationLength">Upper bound of every length.</param>
/// <param name="costs">What iterations cost; null if nobody knows, and then every right token is proposed.</param>
/// <param name="millisecondsPerToken">What a token is worth: the time that it takes on the whole.</param>
internal sealed class ForesightChooser(int maxSpeculationLength, CostProfile? costs, double millisecondsPerToken) : ILengthChooser
{
    /// <inheritdoc/>
    public ReplayedSequence Begin(ResolvedPositions positions) =>
        new(positions, PolicyFactory.Create(PolicyConfiguration.Autoregressive, maxSpeculationLength).CreateState(0)) { DraftLag = 1 };

    /// <inheritdoc/>
    public ReplayedPasses Run(IReadOnlyList<ReplayedSequence> sequences)
    {
        var right = sequences
            .Select(sequence =>
                sequence.Positions.AcceptedFrom(
                    sequence.Committed,
                    Math.Min(maxSpeculationLength, sequence.Positions.Trace.Count - sequence.Committed - 1)
                )
            )
            .ToArray();
        var best = new int[right.Length];
        var bestGain = double.NegativeInfinity;
        for (var longest = 0; longest <= right.Max(); longest++)
        {
            var lengths = Array.ConvertAll(right, length => Math.Min(length, longest));
            var gain = lengths.Sum() - PriceOf(ReplayedPasses.Of(sequences, lengths));
            if (gain > bestGain)
            {
                (best, bestGain) = (lengths, gain);
            }
        }

        var passes = ReplayedPasses.Of(sequences, best);
        for (var i = 0; i < best.Length; i++)
        {
            sequences[i].Advance(new SpeculationPlan(best[i]) { Wish = best[i], Allowed = best[i] }, SignalsThatCount.None);
        }

        return passes;
    }

    /// <summary>In tokens.</summary>
    private double PriceOf(ReplayedPasses passes) =>
        costs is null ? 0 : costs.Price(passes.Rows, passes.DraftRows.Sum(costs.Draft.At), passes.Kind) / millisecondsPerToken;
}
