using Dsde.Engine.Kv;
using Dsde.Engine.Prefill;
using Dsde.Engine.Sequences;
using Dsde.Speculation.Guarding;

namespace Dsde.Engine.Batching;

/// <summary>
/// The sequences that run, each in its slot of both caches. Running sequences stay in the first slots: when one leaves, the last moves into
/// the hole. The slots behind them are free, and hold what ended sequences have left until somebody needs the slot or the blocks.
/// </summary>
internal sealed class RunningBatch
{
    private readonly CachePair _caches;
    private readonly CostGuard _guard;
    private readonly RetainedPrefixes _retained;
    private readonly PrefixReuse _reuse;
    private readonly KvRoom _room;
    private readonly List<Sequence> _sequences = [];
    private long _admissions;

    /// <param name="caches">Both models'.</param>
    /// <param name="room">Who fits into them.</param>
    /// <param name="guard">Knows whether the draft should read prompts along with the target.</param>
    public RunningBatch(CachePair caches, KvRoom room, CostGuard guard)
    {
        _guard = guard;
        _caches = caches;
        _room = room;
        _retained = new RetainedPrefixes(caches.SlotCount);
        _reuse = new PrefixReuse(caches, _retained);
    }

    /// <summary>The sequences, by slot.</summary>
    public IReadOnlyList<Sequence> Sequences => _sequences;

    /// <summary>Prompt tokens of all sequences admitted.</summary>
    public long PromptTokens { get; private set; }

    /// <summary>Of these, tokens whose keys and values were shared instead of computed.</summary>
    public long ReusedPromptTokens { get; private set; }

    /// <summary>Positions of a sequence that the draft has seen.</summary>
    public int DraftLengthOf(Sequence sequence) => _caches.DraftLengthOf(sequence.Slot);

    /// <summary>Both models' keys and values.</summary>
    public CachePair Caches => _caches;

    /// <summary>
    /// Whether there are blocks for what a sequence begins with and its first steps, besides those that the running ones still need for the
    /// same. What is retained counts as free. In an empty batch everything fits.
    /// </summary>
    public bool HasRoomFor(Sequence sequence)
    {
        var present = _reuse.FindPresent(sequence, _sequences);
        var awaited = PrefixReuse.FindAwaited(sequence, _sequences, present.Length)?.Length ?? 0;
        return _sequences.Count == 0 || _room.Fits(sequence, _sequences, present, awaited);
    }

    /// <summary>
    /// Sees to it that the coming round finds the blocks it needs: what is retained goes first, the oldest before others, then the running
    /// sequence that comes last in an order is taken out, and so on. To be called before a round's passes.
    /// </summary>
    /// <param name="order">A sequence's place in the order; the first is never taken out, so that somebody always gets on.</param>
    /// <returns>The sequences taken out; they have to be admitted again.</returns>
    public List<Sequence> MakeRoom<TPlace>(Func<Sequence, TPlace> order)
    {
        var suspended = new List<Sequence>();
        while (!_room.IsEnough(_sequences))
        {
            if (_retained.FindOldest() is >= 0 and var oldest)
            {
                _retained.Drop(oldest);
                _caches.Clear(oldest);
            }
            else if (_sequences.Count > 1)
            {
                var last = _sequences.MaxBy(order)!;
                TakeOut(last);
                suspended.Add(last);
            }
            else
            {
                break; // one alone always fits: the caches hold at least a sequence of full length
            }
        }

        return suspended;
    }

    /// <summary>Gives up what no row to come can see, except where somebody still awaits it.</summary>
    public void ReleaseUnseen()
    {
        foreach (var sequence in _sequences)
        {
            if (!_sequences.Exists(other => other.Awaited?.Owner == sequence))
            {
                _caches.ReleaseUnseen(sequence.Slot);
            }
        }
    }

    /// <summary>Gives a sequence the next slot, with what others have computed of its prefix. There must be a free one.</summary>
    public void Admit(Sequence sequence)
    {
        var slot = _sequences.Count;
        PromptTokens += sequence.AdmissionNumber < 0 ? sequence.PromptLength : 0;
        _sequences.Add(sequence); // first: whatever fails from here on finds it here, and nobody waits for a sequence that is nowhere
        var isGuarded = sequence.Policy.IsGuarded && _guard.Profile is not null;
        sequence.Admit(slot, _admissions++, sequence.UsesDraft && (_guard.IsDrafting || !isGuarded), isGuarded);
        var present = _reuse.FindPresent(sequence, _sequences);
        sequence.Awaited = PrefixReuse.FindAwaited(sequence, _sequences, present.Length);
        if (present.Slot == slot)
        {
            _retained.Drop(slot);
            _caches.Truncate(slot, present.Length, Math.Min(present.Length, sequence.DraftGoal));
        }
        else
        {
            Vacate(slot, firstFree: slot + 1, except: present.Slot);
            TakeOver(sequence, present);
        }

        NoteReuse(sequence);
    }

    /// <summary>Gives sequences the prefixes they await, where these are there now. To be called before prompts are worked on.</summary>
    public void ShareAwaited()
    {
        foreach (var sequence in _sequences)
        {
            if (
                sequence.Awaited is { } awaited
                && (awaited.Owner.Slot < 0 || awaited.Owner.IsDecoding || _caches.Target.LengthOf(awaited.Owner.Slot) >= awaited.Length)
            )
            {
                // An owner that left early may have left a part, and another may be computing the rest.
                var present = _reuse.FindPresent(sequence, _sequences);
                TakeOver(sequence, present);
                sequence.Awaited = PrefixReuse.FindAwaited(sequence, _sequences, present.Length);
                NoteReuse(sequence);
            }
        }
    }

    /// <summary>Takes out a sequence that has ended, and closes the gap. What it computed stays for others if there is room.</summary>
    public void Release(Sequence sequence)
    {
        var hole = sequence.Slot;
        var computed = Math.Min(_caches.Target.LengthOf(hole), sequence.Length); // an end inside a block leaves accepted tokens behind it
        var isSpoilt = sequence.Failure is not null || !HoldsNumbers(sequence);
        sequence.Leave(DraftLengthOf(sequence));
        if (isSpoilt)
        {
            _caches.Erase(hole);
        }
        else if (computed >= PrefixReuse.MinimumLength)
        {
            _caches.Truncate(hole, computed, computed);
            _retained.Put(hole, sequence.TokenSpan[.._caches.Target.LengthOf(hole)].ToArray());
        }
        else
        {
            _caches.Clear(hole);
        }

        CloseGap(hole);
    }

    /// <summary>Takes out a sequence that is to go on later, with nothing kept of it.</summary>
    private void TakeOut(Sequence sequence)
    {
        var hole = sequence.Slot;
        sequence.Leave(DraftLengthOf(sequence));
        _caches.Erase(hole); // it may have had no logits yet to tell whether it is numbers
        CloseGap(hole);
    }

    private void CloseGap(int hole)
    {
        var last = _sequences.Count - 1;
        if (hole != last)
        {
            Vacate(hole, firstFree: _sequences.Count, except: -1);
            _caches.Move(last, hole);
            _sequences[hole] = _sequences[last];
            _sequences[hole].MoveTo(hole);
        }

        _sequences.RemoveAt(last);
    }

    /// <summary>
    /// Takes out everything, retained prefixes too, without touching a tensor: whether what stays there is numbers is not asked, and
    /// whoever takes a block of it next gets zeros. Sequences can be admitted again.
    /// </summary>
    public List<Sequence> TakeAll()
    {
        List<Sequence> all = [.. _sequences];
        foreach (var sequence in all)
        {
            sequence.Leave(sequence.Slot < 0 ? 0 : DraftLengthOf(sequence));
        }

        _sequences.Clear();
        _retained.Clear();
        _caches.Reset();
        return all;
    }

    /// <summary>
    /// Throws unless every decoding sequence's target cache holds all but its last token, and the draft's no more than that (an off-by-one
    /// here starves the draft silently), and free slots hold what is retained and nothing else.
    /// </summary>
    public void CheckIntegrity()
    {
        _caches.CheckIntegrity();
        _retained.CheckIntegrity(_caches, _sequences.Count);
        for (var slot = 0; slot < _sequences.Count; slot++)
        {
            var sequence = _sequences[slot];
            var (target, draft) = (_caches.Target.LengthOf(slot), _caches.DraftLengthOf(slot));
            var isRight = sequence.IsDecoding
                ? target == sequence.Length - 1 && draft <= target
                : target <= sequence.TargetGoal && draft <= sequence.TargetGoal;
            if (sequence.Slot != slot || !isRight)
            {
                throw new InvalidOperationException(
                    $"Slot {slot}, of a sequence that has slot {sequence.Slot}: {sequence.Length} tokens, target KV {target}, draft KV "
                        + $"{draft}."
                );
            }
        }
    }

    /// <summary>
    /// Empties a slot that is needed. What it retains moves to another free one if that holds nothing as recent and nobody else has the
    /// like.
    /// </summary>
    private void Vacate(int slot, int firstFree, int except)
    {
        if (!_retained.Contains(slot))
        {
            return;
        }

        var victim = _reuse.IsCovered(_retained.TokensOf(slot), slot, _sequences) ? -1 : _retained.ChooseVictim(firstFree, slot, except);
        if (victim < 0)
        {
            _retained.Drop(slot);
            _caches.Clear(slot);
        }
        else
        {
            _caches.Move(slot, victim);
            _retained.Move(slot, victim);
        }
    }

    /// <summary>
    /// Whether what a sequence has computed may stay. Logits tell, but one that leaves in the middle of its prompt has had none, and a
    /// draft that has proposed nothing has not been listened to.
    /// </summary>
    private bool HoldsNumbers(Sequence sequence) =>
        (sequence.IsDecoding || _caches.Target.HoldsNumbers(sequence.Slot))
        && (sequence.Recorder.HasDrafted || _caches.DraftHoldsNumbers(sequence.Slot));

    private void TakeOver(Sequence sequence, (int Slot, int Length) present)
    {
        if (present.Length > 0)
        {
            _caches.Share(present.Slot, sequence.Slot, present.Length, Math.Min(present.Length, sequence.DraftGoal));
            _retained.Touch(present.Slot);
        }
    }

    private void NoteReuse(Sequence sequence) => ReusedPromptTokens += sequence.NoteReuse(_caches.Target.LengthOf(sequence.Slot));
}
