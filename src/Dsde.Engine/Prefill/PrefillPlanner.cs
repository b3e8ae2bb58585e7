using Dsde.Engine.Kv;
using Dsde.Engine.Sequences;

namespace Dsde.Engine.Prefill;

/// <summary>
/// Divides a round's token budget among the sequences that have something to work through: what they begin with, or, for those whose draft
/// has fallen far behind, what it has missed. All get equal shares, and what short ones leave goes to the longer: nobody waits behind a
/// long prompt.
/// </summary>
internal sealed class PrefillPlanner(CachePair caches, int tokenBudget)
{
    /// <summary>A draft that catches up gets at least this much, so that it gains on a sequence that goes on emitting.</summary>
    private const int LeastCatchUp = 8;

    private readonly List<(Sequence Sequence, int Remaining)> _wanting = [];
    private readonly List<PrefillChunk> _chunks = [];

    /// <summary>The chunks of the next pass. The list is valid until the next call.</summary>
    public IReadOnlyList<PrefillChunk> Plan(IReadOnlyList<Sequence> batch)
    {
        _wanting.Clear();
        _chunks.Clear();
        for (var i = 0; i < batch.Count; i++)
        {
            if ((!batch[i].IsDecoding || batch[i].IsCatchingUp) && batch[i].Awaited is null)
            {
                _wanting.Add((batch[i], RemainingOf(batch[i])));
            }
        }

        _wanting.Sort(
            (a, b) =>
                a.Remaining != b.Remaining
                    ? a.Remaining.CompareTo(b.Remaining)
                    : a.Sequence.AdmissionNumber.CompareTo(b.Sequence.AdmissionNumber)
        );
        var left = tokenBudget;
        for (var i = 0; i < _wanting.Count; i++)
        {
            var (sequence, remaining) = _wanting[i];
            var sharers = _wanting.Count - i;
            var share = Math.Max((left + sharers - 1) / sharers, sequence.IsDecoding ? LeastCatchUp : 0);
            if (share > 0)
            {
                var count = Math.Min(remaining, share);
                _chunks.Add(ChunkOf(sequence, count));
                left = Math.Max(0, left - count);
            }
        }

        return _chunks;
    }

    private int RemainingOf(Sequence sequence) =>
        sequence.IsDecoding
            ? sequence.Length - 1 - caches.DraftLengthOf(sequence.Slot)
            : Math.Max(
                sequence.TargetGoal - caches.Target.LengthOf(sequence.Slot),
                sequence.DraftGoal - caches.DraftLengthOf(sequence.Slot)
            );

    /// <summary>
    /// Both models go on to the same position, from where each is, so that they reach the end of a prompt in the same pass.
    /// </summary>
    private PrefillChunk ChunkOf(Sequence sequence, int count)
    {
        var (target, draft) = (caches.Target.LengthOf(sequence.Slot), caches.DraftLengthOf(sequence.Slot));
        if (sequence.IsDecoding)
        {
            return new PrefillChunk(sequence, target, target, draft, draft + count);
        }

        var from =
            target >= sequence.TargetGoal ? draft
            : draft >= sequence.DraftGoal ? target
            : Math.Min(target, draft);
        var end = from + count;
        return new PrefillChunk(
            sequence,
            target,
            Math.Clamp(end, target, Math.Max(target, sequence.TargetGoal)),
            draft,
            Math.Clamp(end, draft, Math.Max(draft, sequence.DraftGoal))
        );
    }
}
