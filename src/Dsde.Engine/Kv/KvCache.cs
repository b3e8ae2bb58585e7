using Dsde.Engine.Models;
using static TorchSharp.torch;

namespace Dsde.Engine.Kv;

/// <summary>
/// Keys and values of one model in blocks, with a slot per sequence that says which are its. Whose a slot is, running or retained, only
/// <see cref="Batching.RunningBatch"/> knows. Who owns a range of a slot:
/// <list type="table">
/// <item><term>[0, length)</term><description>positions of committed tokens the model has seen: kept, as far as a later one can see them,
/// and readable to slots that begin alike, which refer to the same blocks</description></item>
/// <item><term>[length, …)</term><description>of the pass under way; otherwise left by rejected proposals or an earlier sequence: never
/// attended to, overwritten when reached</description></item>
/// </list>
/// Rejection therefore lowers a length and gives up the blocks behind it. Whoever writes to a block has it alone: what is shared is copied
/// before.
/// </summary>
internal sealed class KvCache : IDisposable
{
    private readonly KvMemory _memory;
    private readonly int[] _lengths;
    private readonly int? _window;

    /// <param name="config">Shape of the model.</param>
    /// <param name="slotCount">Sequences that can hold blocks.</param>
    /// <param name="maxLength">Most positions of each.</param>
    /// <param name="type">Type of keys and values.</param>
    /// <param name="layerDevices">Where each layer's are.</param>
    /// <param name="blockCount">Blocks of all together; null for what all slots take at full length.</param>
    /// <param name="layout">How positions lie in a block.</param>
    public KvCache(
        ModelConfig config,
        int slotCount,
        int maxLength,
        ScalarType type,
        IReadOnlyList<Device> layerDevices,
        int? blockCount = null,
        KvLayout layout = KvLayout.Positions
    )
    {
        MaxLength = maxLength;
        var blocks = blockCount ?? checked(slotCount * BlockTable.BlocksFor(maxLength));
        _memory = new KvMemory(blocks, config.KvHeadCount, config.HeadDim, type, layerDevices, layout);
        _lengths = new int[slotCount];
        _window = config.SlidingWindows.Distinct().Take(2).ToList() is [{ } window] ? window : null;
        Table = new BlockTable(slotCount, maxLength, new BlockPool(blocks), KvMemory.PlacesPerBlock(layerDevices, config.KvHeadCount));
    }

    /// <summary>Most memory of one position, in bytes: heads whose numbers fill no whole vectors are filled up where kernels need
    /// it.</summary>
    public static long BytesPerPosition(ModelConfig config, ScalarType type) =>
        2L
        * config.LayerCount
        * config.KvHeadCount
        * KvLayout.Weights.WidthOf(config.HeadDim)
        * (type == ScalarType.Float32 ? sizeof(float) : sizeof(ushort));

    /// <summary>Sequences that can hold blocks.</summary>
    public int SlotCount => Table.SlotCount;

    /// <summary>Most positions of each.</summary>
    public int MaxLength { get; }

    /// <summary>Which blocks are whose.</summary>
    public BlockTable Table { get; }

    /// <summary>Blocks in all.</summary>
    public int BlockCount => Table.Pool.Count;

    /// <summary>Blocks that nobody holds.</summary>
    public int FreeBlockCount => Table.Pool.FreeCount;

    /// <summary>Keys of a layer; <see cref="BlockTable.PlaceOf"/> says which are whose. <c>[places, w]</c></summary>
    public Tensor Keys(int layer) => _memory.Keys(layer);

    /// <summary>Values of a layer; shape as <see cref="Keys"/>.</summary>
    public Tensor Values(int layer) => _memory.Values(layer);

    /// <summary>Positions of the slot whose keys and values are valid.</summary>
    public int LengthOf(int slot) => _lengths[slot];

    /// <summary>
    /// Makes positions [first, end) of a slot writable: takes the blocks that are missing, and copies those that are shared.
    /// </summary>
    /// <exception cref="InvalidOperationException">There are not enough free blocks.</exception>
    public void Reserve(int slot, int first, int end)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, MaxLength);
        for (var index = first / BlockTable.BlockLength; index < Table.EndOf(slot); index++)
        {
            if (Table.Pool.ReferencesOf(Table[slot, index]) > 1)
            {
                _memory.Copy(Table.Replace(slot, index), Table[slot, index]);
            }
        }

        while (Table.EndOf(slot) < BlockTable.BlocksFor(end))
        {
            _memory.Prepare(Table.Append(slot));
        }
    }

    /// <summary>Declares [0, length) valid: more after a pass, fewer after a rejection. Blocks behind it are given up.</summary>
    public void SetLength(int slot, int length) => SetLength(slot, length, isSpoilt: false);

    /// <summary>As <see cref="SetLength(int, int)"/>, where what stands behind may be no numbers: it will not be read by anybody.</summary>
    public void Erase(int slot, int length)
    {
        SetLength(slot, length, isSpoilt: true);
        if (length % BlockTable.BlockLength is > 0 and var offset)
        {
            // Nobody else holds it: it was written to just now.
            _memory.Clear(Table[slot, length / BlockTable.BlockLength], offset);
        }
    }

    /// <summary>Gives up the blocks of a slot that no row to come can see; only of models whose layers all slide alike.</summary>
    public void ReleaseUnseen(int slot)
    {
        var seen = FirstSeen(_lengths[slot]) / BlockTable.BlockLength;
        while (Table.FirstOf(slot) < Math.Min(seen, Table.EndOf(slot)))
        {
            Table.RemoveFirst(slot);
        }
    }

    /// <summary>
    /// Whether the valid keys and values of a slot are numbers. The last layer's tell of all: what is no number stays none from layer to
    /// layer, as every layer adds to what the one before has given.
    /// </summary>
    public bool HoldsNumbers(int slot)
    {
        using var scope = NewDisposeScope();
        Tensor[] blocks =
        [
            .. Enumerable
                .Range(Table.FirstOf(slot), Table.EndOf(slot) - Table.FirstOf(slot))
                .Select(index => (Block: Table[slot, index], First: index * BlockTable.BlockLength))
                .Select(block => _memory.AreNumbers(block.Block, Math.Min(BlockTable.BlockLength, _lengths[slot] - block.First))),
        ];
        return blocks.Length == 0 || stack(blocks).all().item<bool>(); // one question to the device, not one per block
    }

    /// <summary>Moves a sequence into another slot, in the place of what is there, and empties its old one.</summary>
    public void Move(int fromSlot, int toSlot)
    {
        SetLength(toSlot, 0);
        Table.Move(fromSlot, toSlot);
        (_lengths[toSlot], _lengths[fromSlot]) = (_lengths[fromSlot], 0);
    }

    /// <summary>
    /// Whether a slot has all that a sequence sees that begins with the same tokens and goes on behind <paramref name="length"/>.
    /// </summary>
    public bool CanShare(int slot, int length) =>
        length <= _lengths[slot] && Table.FirstOf(slot) * BlockTable.BlockLength <= FirstSeen(length);

    /// <summary>
    /// Lets a slot begin as another does, with the same tokens and now in the same blocks. Where it has more already nothing changes; what
    /// the first lacks is not shared.
    /// </summary>
    public void Share(int fromSlot, int toSlot, int length)
    {
        var end = Math.Min(length, _lengths[fromSlot]);
        if (_lengths[toSlot] < end && CanShare(fromSlot, end))
        {
            SetLength(toSlot, 0);
            Table.Share(fromSlot, toSlot, BlockTable.BlocksFor(end));
            _lengths[toSlot] = end;
        }
    }

    /// <summary>Most blocks that a sequence of some length holds at once.</summary>
    /// <param name="length">Its positions.</param>
    /// <param name="rows">Most rows of it in a pass.</param>
    public int MostBlocks(int length, int rows) =>
        _window is { } window
            ? Math.Min(BlockTable.BlocksFor(length), BlockTable.BlocksFor(window + rows) + 1)
            : BlockTable.BlocksFor(length);

    /// <summary>Empties all slots without touching a tensor; what the blocks hold does not count as numbers any more.</summary>
    public void Reset()
    {
        for (var slot = 0; slot < SlotCount; slot++)
        {
            SetLength(slot, 0, isSpoilt: true);
        }
    }

    /// <summary>Throws if a slot's blocks are not those of its length, or a block is not counted right.</summary>
    public void CheckIntegrity()
    {
        for (var slot = 0; slot < SlotCount; slot++)
        {
            var (length, first, end) = (_lengths[slot], Table.FirstOf(slot), Table.EndOf(slot));
            if (
                length < 0
                || length > MaxLength
                || end != BlockTable.BlocksFor(length)
                || first > FirstSeen(length) / BlockTable.BlockLength
            )
            {
                throw new InvalidOperationException($"KV slot {slot} has length {length} of {MaxLength}, and the blocks [{first}, {end}).");
            }
        }

        Table.CheckIntegrity();
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    /// <summary>The first position that rows from <paramref name="length"/> on see.</summary>
    private int FirstSeen(int length) => _window is { } window ? Math.Max(0, length + 1 - window) : 0;

    private void SetLength(int slot, int length, bool isSpoilt)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxLength);
        _lengths[slot] = length;
        while (Table.EndOf(slot) > BlockTable.BlocksFor(length))
        {
            var block = Table.RemoveLast(slot);
            if (isSpoilt)
            {
                _memory.Spoil(block);
            }
        }
    }
}
