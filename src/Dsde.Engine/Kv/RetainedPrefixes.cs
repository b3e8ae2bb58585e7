namespace Dsde.Engine.Kv;

/// <summary>
/// Knows what ended sequences have left in free slots, so that prompts which begin alike need not be computed again. The least recently
/// used makes room first. Holds facts about slots only; whoever changes a slot says so here.
/// </summary>
internal sealed class RetainedPrefixes(int slotCount)
{
    private readonly Entry?[] _entries = new Entry?[slotCount];
    private long _uses;

    /// <summary>Whether a slot is retained.</summary>
    public bool Contains(int slot) => _entries[slot] is not null;

    /// <summary>Notes that a free slot holds these tokens.</summary>
    public void Put(int slot, int[] tokenIds) => _entries[slot] = new Entry(tokenIds, ++_uses);

    /// <summary>Forgets what a slot holds.</summary>
    public void Drop(int slot) => _entries[slot] = null;

    /// <summary>What one slot held is in another now.</summary>
    public void Move(int fromSlot, int toSlot)
    {
        _entries[toSlot] = _entries[fromSlot];
        _entries[fromSlot] = null;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => Array.Clear(_entries);

    /// <summary>
    /// The slot that begins with the most tokens of a prompt and can share them, and how many; a count of 0 if there is none. Of equals the
    /// first.
    /// </summary>
    public (int Slot, int Length) Find(ReadOnlySpan<int> tokenIds, KvCache cache, int except = -1)
    {
        var best = (Slot: -1, Length: 0);
        for (var slot = 0; slot < _entries.Length; slot++)
        {
            if (
                slot != except
                && _entries[slot] is { } entry
                && tokenIds.CommonPrefixLength(entry.TokenIds) is var length
                && length > best.Length
                && cache.CanShare(slot, length)
            )
            {
                best = (slot, length);
            }
        }

        return best;
    }

    /// <summary>Notes that a slot was of use.</summary>
    public void Touch(int slot)
    {
        if (_entries[slot] is { } entry)
        {
            _entries[slot] = entry with { LastUse = ++_uses };
        }
    }

    /// <summary>
    /// Of the slots from <paramref name="first"/> on the one whose content is oldest, if that is older than what <paramref name="slot"/>
    /// holds; −1 otherwise.
    /// </summary>
    public int ChooseVictim(int first, int slot, int except)
    {
        var victim = slot;
        for (var candidate = first; candidate < _entries.Length; candidate++)
        {
            if (candidate != except && LastUseOf(candidate) < LastUseOf(victim))
            {
                victim = candidate;
            }
        }

        return victim == slot ? -1 : victim;
    }

    /// <summary>The slot whose content is oldest; −1 if nothing is retained.</summary>
    public int FindOldest()
    {
        var oldest = -1;
        for (var slot = 0; slot < _entries.Length; slot++)
        {
            oldest = Contains(slot) && (oldest < 0 || LastUseOf(slot) < LastUseOf(oldest)) ? slot : oldest;
        }

        return oldest;
    }

    /// <summary>Tokens of a retained slot; none if it is empty.</summary>
    public ReadOnlySpan<int> TokensOf(int slot) => _entries[slot] is { } entry ? entry.TokenIds : [];

    /// <summary>
    /// Throws unless the target's cache holds exactly what is retained, and the draft's no more; in running slots nothing is.
    /// </summary>
    public void CheckIntegrity(CachePair caches, int runningCount)
    {
        for (var slot = 0; slot < _entries.Length; slot++)
        {
            var retained = TokensOf(slot).Length;
            var (target, draft) = (caches.Target.LengthOf(slot), caches.DraftLengthOf(slot));
            if (slot < runningCount ? retained > 0 : target != retained || draft > retained)
            {
                throw new InvalidOperationException(
                    $"Slot {slot} retains {retained} tokens with {runningCount} sequences running, target KV {target}, draft KV {draft}."
                );
            }
        }
    }

    private long LastUseOf(int slot) => _entries[slot]?.LastUse ?? 0;

    private sealed record Entry(int[] TokenIds, long LastUse);
}
