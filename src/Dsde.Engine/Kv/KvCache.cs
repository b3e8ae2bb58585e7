using Dsde.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Kv;

/// <summary>
/// Keys and values of one model, one slot per running sequence, preallocated, each layer's on the layer's device. Who owns a range of a slot:
/// <list type="table">
/// <item><term>[0, length)</term><description>positions of committed tokens the model has seen: kept</description></item>
/// <item><term>[length, …)</term><description>left by rejected proposals or an earlier sequence: never attended to, overwritten when reached</description></item>
/// </list>
/// Rejection therefore only lowers a length. Memory starts as zeros, because a masked key of NaN would still poison the attention.
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
        _lengths = new int[slotCount];
        long[] shape = [slotCount, maxLength, config.KvHeadCount, config.HeadDim];
        _keys = Allocate(layerDevices, shape, type);
        _values = Allocate(layerDevices, shape, type);
    }

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

    /// <summary>Moves a sequence into a free slot, and frees its old one.</summary>
    public void Move(int fromSlot, int toSlot)
    {
        var length = _lengths[fromSlot];
        if (length > 0)
        {
            using var scope = NewDisposeScope();
            for (var layer = 0; layer < _keys.Length; layer++)
            {
                CopySlot(_keys[layer], fromSlot, toSlot, length);
                CopySlot(_values[layer], fromSlot, toSlot, length);
            }
        }

        _lengths[toSlot] = length;
        _lengths[fromSlot] = 0;
    }

    /// <summary>Throws if a length is out of bounds or a slot at or behind <paramref name="runningCount"/> isn't empty.</summary>
    public void CheckIntegrity(int runningCount)
    {
        for (var slot = 0; slot < SlotCount; slot++)
        {
            if (_lengths[slot] < 0 || _lengths[slot] > MaxLength || (slot >= runningCount && _lengths[slot] != 0))
            {
                throw new InvalidOperationException($"KV slot {slot} has length {_lengths[slot]} with {runningCount} sequences running and {MaxLength} positions.");
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
        return [.. layerDevices.Select(device => zeros(shape, dtype: type, device: device).DetachFromDisposeScope())];
    }

    private static void CopySlot(Tensor cache, int fromSlot, int toSlot, int length)
    {
        cache[toSlot].narrow(0, 0, length).copy_(cache[fromSlot].narrow(0, 0, length));
    }
}
