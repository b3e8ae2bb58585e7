using Dsde.Engine.Kv;
using Dsde.Engine.Sequences;
using Dsde.Engine.Speculation;
using Dsde.Engine.Speculation.Goodput;

namespace Dsde.Engine.Iteration;

/// <summary>A sequence's part in one iteration. <paramref name="Plan"/> carries the length that is really proposed.</summary>
internal readonly record struct PlannedSequence(Sequence Sequence, SpeculationPlan Plan);

/// <summary>Asks each policy for the lengths of its sequences, and bounds them by what the sequences and the caches have left.</summary>
/// <param name="caches">Both models'.</param>
/// <param name="maxSpeculationLength">Upper bound of every length.</param>
/// <param name="costs">Where measured times go.</param>
internal sealed class SpeculationPlanner(CachePair caches, int maxSpeculationLength, IterationCosts costs)
{
    /// <summary>
    /// Tokens that a draft reads within an iteration before it proposes. If it has missed more, everybody would wait for it: it first
    /// catches up beside the iterations (<c>Prefill</c>), and what was wanted is done then, or a policy that probes seldom would
    /// never see a probe.
    /// </summary>
    public const int MostCatchUp = 32;

    private readonly List<ISpeculationPolicy> _planning = [];

    /// <summary>Plans an iteration, longest speculation first.</summary>
    public List<PlannedSequence> Plan(IReadOnlyList<Sequence> decoding)
    {
        var planned = new List<PlannedSequence>(decoding.Count);
        var lengths = new List<int>(decoding.Count);
        _planning.Clear();
        foreach (var group in decoding.GroupBy(sequence => sequence.Policy).OrderBy(group => group.Key.PlansLast))
        {
            PlanGroup(group.Key, [.. group], lengths, planned);
        }

        planned.Sort(
            (a, b) => b.Plan.Length != a.Plan.Length ? b.Plan.Length.CompareTo(a.Plan.Length) : a.Sequence.Slot.CompareTo(b.Sequence.Slot)
        );
        return planned;
    }

    /// <summary>Tells the policies what came of the iteration last planned.</summary>
    public void Observe(in IterationTiming timing, int emitted)
    {
        costs.Observe(timing);
        foreach (var policy in _planning)
        {
            policy.ObserveIteration(emitted, timing.TotalMs);
        }
    }

    private void PlanGroup(ISpeculationPolicy policy, Sequence[] sequences, List<int> lengths, List<PlannedSequence> planned)
    {
        _planning.Add(policy);
        var plans = new SpeculationPlan[sequences.Length];
        var context = new PlanningContext
        {
            MaxLengths = Array.ConvertAll(sequences, MaxLength),
            DraftLags = Array.ConvertAll(sequences, LagOf),
            OtherLengths = lengths.ToArray(),
        };
        policy.Plan(context, Array.ConvertAll(sequences, sequence => sequence.PolicyState), plans);
        for (var i = 0; i < sequences.Length; i++)
        {
            var wanted = Math.Clamp(Math.Max(plans[i].Length, sequences[i].PostponedLength), 0, context.MaxLengths[i]);
            sequences[i].PostponedLength = context.DraftLags[i] > MostCatchUp ? wanted : 0;
            var length = wanted - sequences[i].PostponedLength;
            lengths.Add(length);
            planned.Add(new PlannedSequence(sequences[i], plans[i] with { Length = length }));
        }
    }

    /// <summary>Leaves room for the extra token in the request's limit, and so in the cache.</summary>
    private int MaxLength(Sequence sequence) =>
        sequence.IsDraftSpoilt ? 0 : Math.Max(0, Math.Min(maxSpeculationLength, sequence.MaxProposals));

    private int LagOf(Sequence sequence) => sequence.Length - caches.DraftLengthOf(sequence.Slot);
}
