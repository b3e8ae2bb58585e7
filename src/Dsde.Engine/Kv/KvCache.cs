using Dsde.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Kv;

/// <summary>
/// Keys and values of one model, one slot per sequence, preallocated, each layer's on the layer's device. Whose a slot is, running or
/// retained, only <see cref="Batching.RunningBatch"/> knows. Who owns a range of a slot:
/// <list type="table">
/// <item><term>[0, length)</term><description>positions of committed tokens the model has seen: kept, and readable to sequences that begin
/// alike</description></item>
/// <item><term>[length, …)</term><description>left by rejected proposals or an earlier sequence: never attended to, overwritten when
/// reached</description></item>
/// </list>
/// Rejection therefore only lowers a length. Memory starts as zeros, because a masked key of NaN would still poison the attention; and
/// what is no number is erased.
/// </summary>
internal sealed class KvCache : IDisposable
{
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;
    private readonly int[] _lengths;

    public KvCache(ModelConfig config, int slotCount, int maxLength, ScalarType type, IReadOnlyList<Device> layerDevices)
    {
        SlotCount = slotCount;
        MaxLength = maxLength;
        long[] shape = [slotCount, maxLength, config.KvHeadCount, config.HeadDim];
        using var scope = NewDisposeScope(); // what there is goes back if memory does not reach for all
        _keys = Allocate(layerDevices, shape, type);
        _values = Allocate(layerDevices, shape, type);
        _lengths = new int[slotCount];
        scope.Detach(_keys);
        scope.Detach(_values);
    }

    /// <summary>Memory of one position, in bytes.</summary>
    public static long BytesPerPosition(ModelConfig config, ScalarType type) =>
        2L * config.LayerCount * config.KvHeadCount * config.HeadDim * (type == ScalarType.Float32 ? sizeof(float) : sizeof(ushort));

    /// <summary>Sequences that fit.</summary>
    public int SlotCount { get; }

    /// <summary>Positions of each.</summary>
    public int MaxLength { get; }

    /// <summary>Keys of a layer. <c>[slots, max length, kv heads, head dim]</c></summary>
    public Tensor Keys(int layer) => _keys[layer];

    /// <summary>Values of a layer; shape as <see cref="Keys"/>.</summary>
    public Tensor Values(int layer) => _values[layer];

    /// <summary>Positions of the slot whose keys and values are valid.</summary>
    public int LengthOf(int slot) => _lengths[slot];

    /// <summary>Declares [0, length) valid: more after a pass, fewer after a rejection.</summary>
    public void SetLength(int slot, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxLength);
        _lengths[slot] = length;
    }

    /// <summary>
    /// Makes the positions of a slot from one on zeros again, where what stands there may be no numbers. Valid ones among them must have
    /// been given up before.
    /// </summary>
    public void Erase(int slot, int first)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(first, _lengths[slot]);
        using var scope = NewDisposeScope();
        foreach (var tensor in _keys.Concat(_values))
        {
            tensor[slot].narrow(0, first, MaxLength - first).zero_();
        }
    }

    /// <summary>
    /// Whether the valid keys and values of a slot are numbers. The last layer's tell of all: what is no number stays none from layer to
    /// layer, as every layer adds to what the one before has given.
    /// </summary>
    public bool HoldsNumbers(int slot)
    {
        if (_lengths[slot] == 0)
        {
            return true;
        }

        using var scope = NewDisposeScope();
        return AreNumbers(_keys[^1]) && AreNumbers(_values[^1]);

        bool AreNumbers(Tensor tensor) => tensor[slot].narrow(0, 0, _lengths[slot]).isfinite().all().item<bool>();
    }

    /// <summary>Moves a sequence into a free slot, and frees its old one.</summary>
    public void Move(int fromSlot, int toSlot)
    {
        _lengths[toSlot] = 0;
        CopyPrefix(fromSlot, toSlot, _lengths[fromSlot]);
        _lengths[fromSlot] = 0;
    }

    /// <summary>
    /// Copies the first positions of a slot to another that begins with the same tokens. What the other has already stays; what the first
    /// lacks is not copied.
    /// </summary>
    public void CopyPrefix(int fromSlot, int toSlot, int length)
    {
        var (first, end) = (_lengths[toSlot], Math.Min(length, _lengths[fromSlot]));
        if (first >= end)
        {
            return;
        }

        using var scope = NewDisposeScope();
        for (var layer = 0; layer < _keys.Length; layer++)
        {
            CopyPositions(_keys[layer], fromSlot, toSlot, first, end);
            CopyPositions(_values[layer], fromSlot, toSlot, first, end);
        }

        _lengths[toSlot] = end;
    }

    /// <summary>Throws if a length is out of bounds.</summary>
    public void CheckIntegrity()
    {
        for (var slot = 0; slot < SlotCount; slot++)
        {
            if (_lengths[slot] < 0 || _lengths[slot] > MaxLength)
            {
                throw new InvalidOperationException($"KV slot {slot} has length {_lengths[slot]} with {MaxLength} positions.");
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _keys.Concat(_values))
        {
            tensor.Dispose();
        }
    }

    private static Tensor[] Allocate(IReadOnlyList<Device> layerDevices, long[] shape, ScalarType type)
    {
        return [.. layerDevices.Select(device => zeros(shape, dtype: type, device: device))];
    }

    private static void CopyPositions(Tensor cache, int fromSlot, int toSlot, int first, int end)
    {
        cache[toSlot].narrow(0, first, end - first).copy_(cache[fromSlot].narrow(0, first, end - first));
    }
}
