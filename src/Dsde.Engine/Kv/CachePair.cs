namespace Dsde.Engine.Kv;

/// <summary>The caches of target and draft, whose slots belong together.</summary>
internal sealed class CachePair(KvCache target, KvCache? draft)
{
    /// <summary>The target's.</summary>
    public KvCache Target => target;

    /// <summary>The draft's; null without one.</summary>
    public KvCache? Draft => draft;

    /// <summary>Slots of each.</summary>
    public int SlotCount => target.SlotCount;

    /// <summary>Positions of the slot that the draft has seen; 0 without a draft.</summary>
    public int DraftLengthOf(int slot) => draft?.LengthOf(slot) ?? 0;

    /// <summary>Whether what the draft has computed in a slot are numbers.</summary>
    public bool DraftHoldsNumbers(int slot) => draft?.HoldsNumbers(slot) ?? true;

    /// <summary>Moves what a slot holds into another, in the place of what is there, and frees it.</summary>
    public void Move(int fromSlot, int toSlot)
    {
        target.Move(fromSlot, toSlot);
        draft?.Move(fromSlot, toSlot);
    }

    /// <summary>Gives a slot what another has computed of a prefix that both begin with, as far as it has not computed it itself.</summary>
    /// <param name="fromSlot">The slot that lends.</param>
    /// <param name="toSlot">The slot that borrows.</param>
    /// <param name="targetLength">Positions wanted of the target.</param>
    /// <param name="draftLength">Positions wanted of the draft.</param>
    public void Share(int fromSlot, int toSlot, int targetLength, int draftLength)
    {
        target.Share(fromSlot, toSlot, targetLength);
        draft?.Share(fromSlot, toSlot, draftLength);
    }

    /// <summary>Keeps no more than the first positions of a slot: none where it lacks what is seen behind them.</summary>
    public void Truncate(int slot, int targetLength, int draftLength)
    {
        Truncate(target, slot, targetLength);
        if (draft is not null)
        {
            Truncate(draft, slot, draftLength);
        }
    }

    /// <summary>Gives up what no row to come of a slot can see.</summary>
    public void ReleaseUnseen(int slot)
    {
        target.ReleaseUnseen(slot);
        draft?.ReleaseUnseen(slot);
    }

    /// <summary>Empties all slots without touching a tensor.</summary>
    public void Reset()
    {
        target.Reset();
        draft?.Reset();
    }

    /// <summary>Frees a slot.</summary>
    public void Clear(int slot) => Truncate(slot, 0, 0);

    /// <summary>Frees a slot that may hold something else than numbers.</summary>
    public void Erase(int slot)
    {
        target.Erase(slot, 0);
        draft?.Erase(slot, 0);
    }

    /// <summary>Throws if a length is out of bounds.</summary>
    public void CheckIntegrity()
    {
        target.CheckIntegrity();
        draft?.CheckIntegrity();
    }

    private static void Truncate(KvCache cache, int slot, int length)
    {
        length = Math.Min(length, cache.LengthOf(slot));
        cache.SetLength(slot, cache.CanShare(slot, length) ? length : 0);
    }
}
