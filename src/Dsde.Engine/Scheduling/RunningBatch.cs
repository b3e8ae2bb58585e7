using Dsde.Engine.Kv;

namespace Dsde.Engine.Scheduling;

/// <summary>
/// The sequences that run, each in its slot of both caches. Running sequences stay in the first slots: when one leaves, the last moves into
/// the hole.
/// </summary>
internal sealed class RunningBatch(KvCache targetCache, KvCache? draftCache)
{
    private readonly List<Sequence> _sequences = [];

    /// <summary>The sequences, by slot.</summary>
    public IReadOnlyList<Sequence> Sequences => _sequences;

    /// <summary>Whether another one fits.</summary>
    public bool CanAdmit => _sequences.Count < targetCache.SlotCount;

    /// <summary>Gives a sequence the next free slot.</summary>
    public void Admit(Sequence sequence)
    {
        sequence.Slot = _sequences.Count;
        _sequences.Add(sequence);
        sequence.Clock.Admitted();
    }

    /// <summary>Takes a sequence out and closes the gap.</summary>
    public void Release(Sequence sequence)
    {
        var hole = sequence.Slot;
        var last = _sequences.Count - 1;
        Clear(hole);
        if (hole != last)
        {
            targetCache.Move(last, hole);
            draftCache?.Move(last, hole);
            _sequences[hole] = _sequences[last];
            _sequences[hole].Slot = hole;
        }

        _sequences.RemoveAt(last);
        sequence.Slot = -1;
    }

    /// <summary>
    /// Throws unless every decoding sequence's target cache holds all but its last token, and the draft's no more than that: an off-by-one here
    /// starves the draft silently.
    /// </summary>
    public void CheckIntegrity()
    {
        targetCache.CheckIntegrity(_sequences.Count);
        draftCache?.CheckIntegrity(_sequences.Count);
        foreach (var sequence in _sequences)
        {
            var targetLength = targetCache.LengthOf(sequence.Slot);
            var draftLength = draftCache?.LengthOf(sequence.Slot) ?? 0;
            var expected = sequence.IsDecoding ? sequence.Length - 1 : targetLength;
            if (targetLength != expected || targetLength > sequence.Length || draftLength > Math.Min(sequence.Length, expected))
            {
                throw new InvalidOperationException(
                    $"Slot {sequence.Slot}: {sequence.Length} tokens, target KV {targetLength}, draft KV {draftLength}.");
            }
        }
    }

    private void Clear(int slot)
    {
        targetCache.SetLength(slot, 0);
        draftCache?.SetLength(slot, 0);
    }
}
