using Dsde.Engine.Models;
using Dsde.Engine.Speculation;

namespace Dsde.Engine.Scheduling;

/// <summary>A sequence's part in one iteration. <paramref name="Plan"/> carries the length that is really proposed.</summary>
internal readonly record struct PlannedSequence(Sequence Sequence, SpeculationPlan Plan);

/// <summary>Asks each policy for the lengths of its sequences, and bounds them by what the sequences and the caches have left.</summary>
internal sealed class SpeculationPlanner(int maxLength, int maxSpeculationLength)
{
    /// <summary>Plans an iteration, longest speculation first.</summary>
    public List<PlannedSequence> Plan(IReadOnlyList<Sequence> decoding)
    {
        var planned = new List<PlannedSequence>(decoding.Count);
        foreach (var group in decoding.GroupBy(sequence => sequence.Policy))
        {
            var sequences = group.ToArray();
            var plans = new SpeculationPlan[sequences.Length];
            group.Key.Plan(Array.ConvertAll(sequences, sequence => sequence.PolicyState), plans);
            for (var i = 0; i < sequences.Length; i++)
            {
                planned.Add(new PlannedSequence(sequences[i], plans[i] with { Length = Bound(sequences[i], plans[i].Length) }));
            }
        }

        planned.Sort((a, b) => b.Plan.Length != a.Plan.Length
            ? b.Plan.Length.CompareTo(a.Plan.Length)
            : a.Sequence.Slot.CompareTo(b.Sequence.Slot));
        return planned;
    }

    private int Bound(Sequence sequence, int length)
    {
        return Math.Max(0, Math.Min(Math.Min(length, maxSpeculationLength), Math.Min(sequence.MaxProposals, maxLength - sequence.Length)));
    }
}
