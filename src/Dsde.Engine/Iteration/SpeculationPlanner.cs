using Dsde.Engine.Kv;
using Dsde.Engine.Sequences;
using Dsde.Speculation;
using Dsde.Speculation.Guarding;

namespace Dsde.Engine.Iteration;

/// <summary>A sequence's part in one iteration. <paramref name="Plan"/> carries the length that is really proposed.</summary>
internal readonly record struct PlannedSequence(Sequence Sequence, SpeculationPlan Plan);

/// <summary>
/// Asks each policy what it wishes for its sequences, bounds that by what the sequences and the caches have left, and lets the guard allot.
/// </summary>
/// <param name="caches">Both models'.</param>
/// <param name="maxSpeculationLength">Upper bound of every length.</param>
/// <param name="guard">Has the last word on what costs more than it gains.</param>
/// <param name="acceptance">How the draft fares.</param>
internal sealed class SpeculationPlanner(CachePair caches, int maxSpeculationLength, CostGuard guard, WorkloadAcceptance acceptance)
{
    /// <summary>
    /// Tokens that a draft reads within an iteration before it proposes. If it has missed more, everybody would wait for it: it first
    /// catches up beside the iterations (<c>Prefill</c>), and what was wanted is done then, or the hold-out would never see a proposal.
    /// </summary>
    public const int MostCatchUp = 32;

    /// <summary>Plans an iteration, longest speculation first.</summary>
    public List<PlannedSequence> Plan(IReadOnlyList<Sequence> decoding)
    {
        var planned = new List<PlannedSequence>(decoding.Count);
        foreach (var group in decoding.GroupBy(sequence => sequence.Policy))
        {
            AddWishes(group.Key, [.. group], planned);
        }

        var lengths = new int[planned.Count];
        guard.Plan(planned.ConvertAll(ForGuard).ToArray(), lengths);
        for (var i = 0; i < lengths.Length; i++)
        {
            planned[i] = Settle(planned[i], lengths[i]);
        }

        planned.Sort(
            (a, b) => b.Plan.Length != a.Plan.Length ? b.Plan.Length.CompareTo(a.Plan.Length) : a.Sequence.Slot.CompareTo(b.Sequence.Slot)
        );
        return planned;
    }

    private void AddWishes(ISpeculationPolicy policy, Sequence[] sequences, List<PlannedSequence> planned)
    {
        var plans = new SpeculationPlan[sequences.Length];
        policy.Plan(Array.ConvertAll(sequences, sequence => sequence.PolicyState), plans);
        for (var i = 0; i < sequences.Length; i++)
        {
            var wish = Math.Clamp(plans[i].Length, 0, MaxLength(sequences[i]));
            planned.Add(new PlannedSequence(sequences[i], plans[i] with { Wish = wish }));
        }
    }

    private GuardedSequence ForGuard(PlannedSequence planned)
    {
        var (sequence, plan) = planned;
        var curve = acceptance.CurveOf(sequence.Request.AcceptanceKind);
        return new GuardedSequence(
            plan.Wish,
            sequence.Policy.IsGuarded,
            LagOf(sequence),
            curve,
            sequence.Acceptance.Exponent(curve.MeanAcceptance)
        );
    }

    private PlannedSequence Settle(PlannedSequence planned, int allowed)
    {
        var (sequence, plan) = planned;
        var decider =
            allowed == plan.Wish ? LengthDecider.Policy
            : guard.IsHoldOut ? LengthDecider.HoldOut
            : LengthDecider.Guard;
        var wanted = Math.Min(Math.Max(allowed, sequence.PostponedLength), MaxLength(sequence));
        sequence.PostponedLength = LagOf(sequence) > MostCatchUp ? wanted : 0;
        return new PlannedSequence(
            sequence,
            plan with
            {
                Length = wanted - sequence.PostponedLength,
                Allowed = allowed,
                DecidedBy = wanted - sequence.PostponedLength == allowed ? decider : LengthDecider.CatchUp,
            }
        );
    }

    /// <summary>Leaves room for the extra token in the request's limit, and so in the cache.</summary>
    private int MaxLength(Sequence sequence) =>
        sequence.IsDraftSpoilt ? 0 : Math.Max(0, Math.Min(maxSpeculationLength, sequence.MaxProposals));

    private int LagOf(Sequence sequence) => sequence.Length - caches.DraftLengthOf(sequence.Slot);
}
