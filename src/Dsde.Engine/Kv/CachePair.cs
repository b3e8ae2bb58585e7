namespace Dsde.Engine.Kv;

/// <summary>The caches of target and draft, whose slots belong together.</summary>
internal sealed class CachePair(KvCache target, KvCache? draft)
{
    /// <summary>The target's.</summary>
    public KvCache Target => target;

    /// <summary>Slots of each.</summary>
    public int SlotCount => target.SlotCount;

    /// <summary>Positions of the slot that the draft has seen; 0 without a draft.</summary>
    public int DraftLengthOf(int slot) => draft?.LengthOf(slot) ?? 0;

    /// <summary>Whether what the draft has computed in a slot are numbers.</summary>
    public bool DraftHoldsNumbers(int slot) => draft?.HoldsNumbers(slot) ?? true;

    /// <summary>Moves what a slot holds into a free one, and frees it.</summary>
    public void Move(int fromSlot, int toSlot)
    {
        target.Move(fromSlot, toSlot);
        draft?.Move(fromSlot, toSlot);
    }

    /// <summary>Gives a slot what another has computed of a prefix that both share, as far as it has not computed it itself.</summary>
    /// <param name="fromSlot">The slot that lends.</param>
    /// <param name="toSlot">The slot that borrows.</param>
    /// <param name="targetLength">Positions wanted of the target.</param>
    /// <param name="draftLength">Positions wanted of the draft.</param>
    public void CopyPrefix(int fromSlot, int toSlot, int targetLength, int draftLength)
    {
        target.CopyPrefix(fromSlot, toSlot, targetLength);
        draft?.CopyPrefix(fromSlot, toSlot, draftLength);
    }

    /// <summary>Keeps no more than the first positions of a slot.</summary>
    public void Truncate(int slot, int targetLength, int draftLength)
    {
        target.SetLength(slot, Math.Min(targetLength, target.LengthOf(slot)));
        draft?.SetLength(slot, Math.Min(draftLength, draft.LengthOf(slot)));
    }

    /// <summary>Frees a slot.</summary>
    public void Clear(int slot) => Truncate(slot, 0, 0);

    /// <summary>Frees a slot that may hold something else than numbers.</summary>
    public void Erase(int slot)
    {
        Clear(slot);
        EraseBehind(slot);
    }

    /// <summary>Erases what a slot holds behind its valid positions.</summary>
    public void EraseBehind(int slot)
    {
        target.Erase(slot, target.LengthOf(slot));
        draft?.Erase(slot, draft.LengthOf(slot));
    }

    /// <summary>Throws if a length is out of bounds.</summary>
    public void CheckIntegrity()
    {
        target.CheckIntegrity();
        draft?.CheckIntegrity();
    }
}
