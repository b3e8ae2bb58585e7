using Dsde.Analytics.Positions;
using Dsde.Speculation;
using Dsde.Speculation.Guarding;

namespace Dsde.Analytics.Replaying;

/// <summary>An output as another policy works through it.</summary>
internal sealed class ReplayedSequence(ResolvedPositions positions, ISequencePolicyState state)
{
    private readonly SortedSet<int> _unknownBits = [];

    /// <summary>Where the draft is right.</summary>
    public ResolvedPositions Positions => positions;

    /// <summary>What the policy knows of it.</summary>
    public ISequencePolicyState State => state;

    /// <summary>How its proposals fare.</summary>
    public SequenceAcceptance Acceptance { get; } = new();

    /// <summary>Its iterations so far.</summary>
    public List<ReplayedIteration> Iterations { get; } = [];

    /// <summary>Tokens so far. The first is the prompt pass's.</summary>
    public int Committed { get; private set; } = 1;

    /// <summary>Tokens that the draft has not read.</summary>
    public int DraftLag { get; set; }

    /// <summary>Length that was wanted when the draft was too far behind to propose.</summary>
    public int Postponed { get; set; }

    /// <summary>Proposals accepted and kept.</summary>
    public int Kept { get; private set; }

    /// <summary>Signals a decision was based on that were not measured.</summary>
    public int UnknownSignals { get; private set; }

    /// <summary>Positions that were proposed at and whose bit is not known.</summary>
    public IReadOnlyCollection<int> UnknownBits => _unknownBits;

    /// <summary>Whether all its tokens are there.</summary>
    public bool IsOver => Committed >= positions.Trace.Count;

    /// <summary>Most tokens it may propose: one less than may still be emitted.</summary>
    public int MaxProposals => Math.Max(0, positions.Trace.Limit - Committed - 1);

    /// <summary>The draft's first mistake among so many proposals; null if they are all right.</summary>
    public int? MistakeWithin(int proposals) =>
        positions.AcceptedFrom(Committed, proposals) is var accepted && accepted < proposals ? Committed + accepted : null;

    /// <summary>The draft entropy at a proposal to come, from 0, as a policy that stops early sees it.</summary>
    public float EntropyAt(int proposal)
    {
        var (position, mistake) = (Committed + proposal, MistakeWithin(proposal));
        var entropy = positions.SignalsAt(position, mistake).DraftEntropy;
        UnknownSignals += float.IsNaN(entropy) ? 1 : 0;
        return float.IsNaN(entropy) ? positions.UsualAt(position, mistake).DraftEntropy : entropy;
    }

    /// <summary>Verifies so many proposals and goes on behind them.</summary>
    /// <param name="plan">What the policy said, with the length proposed.</param>
    /// <param name="signalsThatCount">Which of the proposals' measurements the policy looks at.</param>
    /// <returns>The step as the policy is told of it.</returns>
    public VerifiedStep Advance(SpeculationPlan plan, SignalsThatCount signalsThatCount)
    {
        var (begin, length) = (Committed, plan.Length);
        var accepted = positions.AcceptedFrom(begin, length);
        var measured = new PositionSignals[length];
        var emitted = Math.Min(accepted + 1, positions.Trace.Count - begin);
        var counted = signalsThatCount switch
        {
            _ when begin + emitted == positions.Trace.Count => 0, // nothing is decided any more
            SignalsThatCount.All => length,
            SignalsThatCount.OnPath => Math.Min(accepted + 1, length),
            _ => 0,
        };
        for (var i = 0; i < length; i++)
        {
            int? mistake = i > accepted ? begin + accepted : null;
            var signals = positions.SignalsAt(begin + i, mistake);
            UnknownSignals += i < counted && float.IsNaN(signals.Kld) ? 1 : 0;
            measured[i] = signals.Or(positions.UsualAt(begin + i, mistake));
        }

        for (var position = begin; position <= begin + Math.Min(accepted, length - 1) && position < positions.Trace.Count; position++)
        {
            if (!positions.IsKnown(position))
            {
                _unknownBits.Add(position);
            }
        }

        Kept += Math.Min(accepted, emitted);
        Committed += emitted;
        DraftLag =
            length == 0 ? DraftLag + 1
            : accepted == length ? 2
            : 1;
        Iterations.Add(new ReplayedIteration(begin, length, accepted, plan));
        return new VerifiedStep
        {
            Accepted = accepted,
            Kld = Array.ConvertAll(measured, one => one.Kld),
            Beta = Array.ConvertAll(measured, one => one.Beta),
            DraftEntropy = Array.ConvertAll(measured, one => one.DraftEntropy),
            Temperature = positions.Trace.Temperature,
        };
    }
}
