using Dsde.Engine.Kv;
using Dsde.Engine.Sequences;
using Dsde.Speculation;
using Dsde.Speculation.Guarding;

namespace Dsde.Engine.Iteration;

/// <summary>
/// Finds what grammars force, and who can propose behind it for each sequence; asks each policy what it wishes, bounds that by what the
/// sequences and the caches have left, and lets the guard allot.
/// </summary>
/// <param name="caches">Both models'.</param>
/// <param name="maxSpeculationLength">Upper bound of every length, and of what is forced and proposed together.</param>
/// <param name="guard">Has the last word on what costs more than it gains.</param>
/// <param name="acceptance">How proposals fare.</param>
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
            var drafting = new List<PlannedSequence>();
            foreach (var sequence in group)
            {
                var found = LookUp(sequence, decoding.Count);
                var canDraft = sequence.UsesDraft && !found.IsLookedUp;
                (canDraft ? drafting : planned).Add(found);
            }

            AddWishes(group.Key, drafting, planned);
        }

        var lengths = new int[planned.Count];
        guard.Plan(planned.ConvertAll(ForGuard).ToArray(), lengths);
        for (var i = 0; i < lengths.Length; i++)
        {
            planned[i] = Settle(planned[i], lengths[i]);
        }

        planned.Sort(
            (a, b) => b.BlockLength != a.BlockLength ? b.BlockLength.CompareTo(a.BlockLength) : a.Sequence.Slot.CompareTo(b.Sequence.Slot)
        );
        return planned;
    }

    /// <summary>
    /// What is forced, what lookup finds behind it, and whether it is to propose that: always where it is the only proposer, and otherwise
    /// where it promises at least as much as the draft, or the draft can't propose now.
    /// </summary>
    private PlannedSequence LookUp(Sequence sequence, int sequenceCount)
    {
        var forced = sequence.FindForced(MostInBlock(sequence));
        var nothing = new PlannedSequence(sequence, new SpeculationPlan(0)) { Forced = forced };
        if (!sequence.UsesLookup || sequence.LookUp(forced) is not { } match)
        {
            return nothing;
        }

        var wish = Math.Clamp(sequence.Policy.LengthWithoutSignal, 0, MostInBlock(sequence) - forced.Count);
        var found = nothing with
        {
            Match = match,
            IsLookedUp = true,
            Plan = new SpeculationPlan(wish) { Wish = wish },
        };
        var isTaken =
            !sequence.UsesDraft
            || sequence.IsCatchingUp
            || sequence.IsDraftSpoilt
            || guard.PrefersLookup(ForGuard(found), ForGuard(found with { IsLookedUp = false }), sequenceCount);
        return found with { IsLookedUp = isTaken };
    }

    private void AddWishes(ISpeculationPolicy policy, List<PlannedSequence> drafting, List<PlannedSequence> planned)
    {
        if (drafting.Count == 0)
        {
            return;
        }

        var plans = new SpeculationPlan[drafting.Count];
        policy.Plan(drafting.ConvertAll(one => one.Sequence.PolicyState).ToArray(), plans);
        for (var i = 0; i < plans.Length; i++)
        {
            var wish = Math.Clamp(plans[i].Length, 0, MostDrafted(drafting[i]));
            planned.Add(drafting[i] with { Plan = plans[i] with { Wish = wish } });
        }
    }

    private GuardedSequence ForGuard(PlannedSequence planned)
    {
        var (sequence, plan) = planned;
        var match = planned.IsLookedUp ? planned.Match : null;
        var curve = acceptance.CurveOf(sequence.Request.AcceptanceKind, match?.Length ?? 0);
        var own = match is { } found ? sequence.LookupAcceptanceOf(found) : sequence.Acceptance;
        return new GuardedSequence(
            plan.Wish,
            sequence.Policy.IsGuarded,
            match is null ? LagOf(sequence) + planned.Forced.Count : 0,
            curve,
            own.Exponent(curve.MeanAcceptance)
        )
        {
            Forced = planned.Forced.Count,
        };
    }

    private PlannedSequence Settle(PlannedSequence planned, int allowed)
    {
        var (sequence, plan) = planned;
        var mayDraftNow = LagOf(sequence) <= MostCatchUp;
        var decider =
            allowed == plan.Wish ? LengthDecider.Policy
            : guard.IsHoldOut ? LengthDecider.HoldOut
            : LengthDecider.Guard;
        if (planned.IsLookedUp)
        {
            sequence.PostponedLength = mayDraftNow ? 0 : sequence.PostponedLength; // a draft that catches up does so beside it
            return planned with { Plan = plan with { Length = allowed, Allowed = allowed, DecidedBy = decider } };
        }

        var wanted = Math.Min(Math.Max(allowed, sequence.PostponedLength), MostDrafted(planned));
        sequence.PostponedLength = mayDraftNow ? 0 : wanted;
        var length = wanted - sequence.PostponedLength;
        return planned with
        {
            Plan = plan with { Length = length, Allowed = allowed, DecidedBy = length == allowed ? decider : LengthDecider.CatchUp },
        };
    }

    private int MostDrafted(in PlannedSequence planned) =>
        planned.Sequence.IsDraftSpoilt ? 0 : MostInBlock(planned.Sequence) - planned.Forced.Count;

    /// <summary>Leaves room for the extra token in the request's limit, and so in the cache.</summary>
    private int MostInBlock(Sequence sequence) => Math.Max(0, Math.Min(maxSpeculationLength, sequence.MaxProposals));

    private int LagOf(Sequence sequence) => sequence.Length - caches.DraftLengthOf(sequence.Slot);
}
