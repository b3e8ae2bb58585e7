namespace Dsde.Engine.Kv;

/// <summary>
/// Which blocks hold the positions of each slot: block i of a slot those from i · <see cref="BlockLength"/> on. A slot's blocks are
/// adjacent in its row; where a window has passed, the first ones are given up. Numbers only; what is in the blocks is the
/// <see cref="KvCache"/>'s.
/// </summary>
internal sealed class BlockTable
{
    /// <summary>Positions of a block. Attention works through keys in these portions.</summary>
    public const int BlockLength = 32;

    private readonly int[] _blocks; // [slots, width], pinned
    private readonly int[] _firsts; // of each slot, its first block that is there
    private readonly int[] _ends; // of each slot, one past its last block
    private readonly int[] _marks;
    private int _mark;

    /// <param name="slotCount">Slots.</param>
    /// <param name="maxLength">Most positions of a slot.</param>
    /// <param name="pool">Where blocks come from.</param>
    /// <param name="placesPerBlock">Places of the cache from one block to the next; see <see cref="PlaceOf"/>.</param>
    public BlockTable(int slotCount, int maxLength, BlockPool pool, int placesPerBlock)
    {
        SlotCount = slotCount;
        Width = BlocksFor(maxLength);
        Pool = pool;
        PlacesPerBlock = placesPerBlock;
        _blocks = GC.AllocateArray<int>(checked(slotCount * Width), pinned: true);
        _firsts = new int[slotCount];
        _ends = new int[slotCount];
        _marks = new int[pool.Count];
    }

    /// <summary>Slots.</summary>
    public int SlotCount { get; }

    /// <summary>Most blocks of a slot.</summary>
    public int Width { get; }

    /// <summary>Where blocks come from.</summary>
    public BlockPool Pool { get; }

    /// <summary>Places of the cache from one block to the next.</summary>
    public int PlacesPerBlock { get; }

    /// <summary>Blocks that so many positions take.</summary>
    public static int BlocksFor(int length) => (length + BlockLength - 1) / BlockLength;

    /// <summary>The blocks of a slot, for kernels; by the positions' block, and valid as far as they are there.</summary>
    public unsafe int* AddressOf(int slot) =>
        (int*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_blocks, slot * Width);

    /// <summary>The first block of a slot that is there; where none is, the next that will be.</summary>
    public int FirstOf(int slot) => _firsts[slot];

    /// <summary>One past the last block of a slot.</summary>
    public int EndOf(int slot) => _ends[slot];

    /// <summary>A block of a slot.</summary>
    public int this[int slot, int index] => _blocks[(slot * Width) + index];

    /// <summary>
    /// Where in the cache a position's first head is kept; the others follow at <see cref="BlockLength"/>. A position whose block is not
    /// there, because no row sees it, gets a place of another block of the slot: it is masked, and what is read there are numbers.
    /// </summary>
    public long PlaceOf(int slot, int position)
    {
        var (index, offset) = Math.DivRem(position, BlockLength);
        return ((long)this[slot, Math.Clamp(index, _firsts[slot], _ends[slot] - 1)] * PlacesPerBlock) + offset;
    }

    /// <summary>Takes a free block as the slot's next.</summary>
    public int Append(int slot) => _blocks[(slot * Width) + _ends[slot]++] = Pool.Take();

    /// <summary>Takes a free block in the place of one that others refer to as well.</summary>
    /// <returns>The block that was there.</returns>
    public int Replace(int slot, int index)
    {
        var shared = this[slot, index];
        _blocks[(slot * Width) + index] = Pool.Take();
        Pool.Return(shared);
        return shared;
    }

    /// <summary>Gives up a slot's last block.</summary>
    /// <returns>The block.</returns>
    public int RemoveLast(int slot)
    {
        var block = this[slot, --_ends[slot]];
        if (_ends[slot] == _firsts[slot])
        {
            _firsts[slot] = _ends[slot] = 0;
        }

        Pool.Return(block);
        return block;
    }

    /// <summary>Gives up a slot's first block: no row to come sees it.</summary>
    public void RemoveFirst(int slot) => Pool.Return(this[slot, _firsts[slot]++]);

    /// <summary>Lets an empty slot begin with the same blocks as another.</summary>
    /// <param name="fromSlot">The slot that shares.</param>
    /// <param name="toSlot">The slot that has none.</param>
    /// <param name="end">One past the last block that is shared.</param>
    public void Share(int fromSlot, int toSlot, int end)
    {
        RequireEmpty(toSlot);
        (_firsts[toSlot], _ends[toSlot]) = (_firsts[fromSlot], end);
        for (var index = _firsts[fromSlot]; index < end; index++)
        {
            Pool.Share(_blocks[(toSlot * Width) + index] = this[fromSlot, index]);
        }
    }

    /// <summary>Gives an empty slot all blocks of another.</summary>
    public void Move(int fromSlot, int toSlot)
    {
        RequireEmpty(toSlot);
        (_firsts[toSlot], _ends[toSlot]) = (_firsts[fromSlot], _ends[fromSlot]);
        _blocks.AsSpan(fromSlot * Width, _ends[fromSlot]).CopyTo(_blocks.AsSpan(toSlot * Width));
        _firsts[fromSlot] = _ends[fromSlot] = 0;
    }

    /// <summary>
    /// Blocks that one must take before a slot's positions [first, end) can be written: missing ones, and those that are shared.
    /// </summary>
    public int CountMissing(int slot, int first, int end)
    {
        var missing = Math.Max(0, BlocksFor(end) - _ends[slot]);
        for (var index = first / BlockLength; index < _ends[slot]; index++)
        {
            missing += Pool.ReferencesOf(this[slot, index]) > 1 ? 1 : 0;
        }

        return missing;
    }

    /// <summary>Begins to count blocks, each once.</summary>
    public void BeginCount() => _mark++;

    /// <summary>How many of a slot's blocks before <paramref name="end"/> were not counted yet.</summary>
    public int Count(int slot, int end)
    {
        var count = 0;
        for (var index = _firsts[slot]; index < Math.Min(end, _ends[slot]); index++)
        {
            ref var mark = ref _marks[this[slot, index]];
            count += mark == _mark ? 0 : 1;
            mark = _mark;
        }

        return count;
    }

    /// <summary>Throws unless the counts of all blocks are what the slots refer to.</summary>
    public void CheckIntegrity()
    {
        BeginCount();
        int used = 0,
            references = 0,
            counted = 0;
        for (var slot = 0; slot < SlotCount; slot++)
        {
            for (var index = _firsts[slot]; index < _ends[slot]; index++)
            {
                var block = this[slot, index];
                references++;
                if (_marks[block] != _mark)
                {
                    used++;
                    counted += Pool.ReferencesOf(block);
                    _marks[block] = _mark;
                }
            }
        }

        if (references != counted || used != Pool.Count - Pool.FreeCount)
        {
            throw new InvalidOperationException(
                $"Slots refer {references} times to {used} blocks for keys and values, but {counted} references are counted and "
                    + $"{Pool.FreeCount} of {Pool.Count} blocks are free."
            );
        }
    }

    private void RequireEmpty(int slot)
    {
        if (_ends[slot] > 0)
        {
            throw new InvalidOperationException($"Slot {slot} is given blocks and has {_ends[slot] - _firsts[slot]}.");
        }
    }
}
