using Dsde.Engine.Cpu.Memory;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Kv;

/// <summary>
/// The memory of one model's keys and values, taken as it is touched. A block lies in one piece: for each layer of its device keys, then
/// values, head by head, <see cref="BlockTable.BlockLength"/> places of each, as many as positions: what is read together lies together.
/// How positions lie in the places of a head, the <see cref="KvLayout"/> says. A block that is used for the first time is filled with
/// zeros, because a masked key of NaN would still poison the attention.
/// </summary>
internal sealed class KvMemory : IDisposable
{
    private readonly Tensor[] _devices; // each device's. [blocks, places of a block · w]
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;
    private readonly bool[] _holdsNumbers; // by block
    private readonly int _placesPerBlock;
    private readonly int _kvHeadCount;
    private readonly KvLayout _layout;

    public KvMemory(
        int blockCount,
        int kvHeadCount,
        int headDim,
        ScalarType type,
        IReadOnlyList<Device> layerDevices,
        KvLayout layout = KvLayout.Positions
    )
    {
        using var scope = NewDisposeScope(); // what there is goes back if memory does not reach for all
        _placesPerBlock = PlacesPerBlock(layerDevices, kvHeadCount);
        _kvHeadCount = kvHeadCount;
        _layout = layout;
        var width = layout.WidthOf(headDim);
        var groups = layerDevices.GroupBy(device => device, ReferenceEqualityComparer.Instance).ToList();
        _devices = [.. groups.Select(group => empty([blockCount, (long)_placesPerBlock * width], type, group.First()))];
        foreach (var device in _devices.Where(device => device.device_type == DeviceType.CPU))
        {
            Prefer(device); // a layer's blocks lie far apart; those in use are dense
        }

        _keys = new Tensor[layerDevices.Count];
        _values = new Tensor[layerDevices.Count];
        var layer = 0;
        foreach (var (group, device) in groups.Zip(_devices))
        {
            var all = device.view(-1, width);
            foreach (var index in Enumerable.Range(0, group.Count()))
            {
                _keys[layer] = From(all, 2 * index * kvHeadCount * BlockTable.BlockLength);
                _values[layer++] = From(all, ((2 * index) + 1) * kvHeadCount * BlockTable.BlockLength);
            }
        }

        _holdsNumbers = new bool[blockCount];
        scope.Detach(_devices);
        scope.Detach(_keys);
        scope.Detach(_values);
    }

    /// <summary>Keys of a layer. <c>[places, w]</c></summary>
    public Tensor Keys(int layer) => _keys[layer];

    /// <summary>Values of a layer; shape as <see cref="Keys"/>.</summary>
    public Tensor Values(int layer) => _values[layer];

    /// <summary>Places from a block to the next: the same on all devices, so that a place is one number for all layers.</summary>
    public static int PlacesPerBlock(IReadOnlyList<Device> layerDevices, int kvHeadCount) =>
        2
        * kvHeadCount
        * BlockTable.BlockLength
        * layerDevices.GroupBy(device => device, ReferenceEqualityComparer.Instance).Max(group => group.Count());

    /// <summary>Makes sure that there are numbers in a block.</summary>
    public void Prepare(int block)
    {
        if (!_holdsNumbers[block])
        {
            using var scope = NewDisposeScope();
            foreach (var device in _devices)
            {
                device[block].zero_();
            }

            _holdsNumbers[block] = true;
        }
    }

    /// <summary>There may be something else than numbers in a block; who takes it next gets zeros.</summary>
    public void Spoil(int block) => _holdsNumbers[block] = false;

    /// <summary>Whether the last layer's first places of a block hold numbers, in the caller's scope. <c>[] bool</c></summary>
    public Tensor AreNumbers(int block, int count)
    {
        using var scope = NewDisposeScope();
        return Of(_keys[^1], areKeys: true).logical_and_(Of(_values[^1], areKeys: false)).MoveToOuterDisposeScope();

        Tensor Of(Tensor places, bool areKeys) =>
            _layout
                .ByPosition(places.narrow(0, (long)block * _placesPerBlock, _kvHeadCount * BlockTable.BlockLength), areKeys)
                .view(_kvHeadCount, BlockTable.BlockLength, -1)
                .narrow(1, 0, count) // [g, count, w]
                .isfinite()
                .all();
    }

    /// <summary>Makes the positions of a block from one on zeros again.</summary>
    public void Clear(int block, int first)
    {
        using var scope = NewDisposeScope();
        foreach (var device in _devices)
        {
            var heads = device[block].view(-1, 2, _kvHeadCount, BlockTable.BlockLength * _keys[0].size(1)); // [layers, 2, g, 32·w]
            _layout.Clear(heads.select(1, 0), first, areKeys: true);
            _layout.Clear(heads.select(1, 1), first, areKeys: false);
        }
    }

    /// <summary>Gives a block what another holds.</summary>
    public void Copy(int fromBlock, int toBlock)
    {
        using var scope = NewDisposeScope();
        foreach (var device in _devices)
        {
            device[toBlock].copy_(device[fromBlock]);
        }

        _holdsNumbers[toBlock] = _holdsNumbers[fromBlock];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _keys.Concat(_values).Concat(_devices))
        {
            tensor.Dispose();
        }
    }

    private static unsafe void Prefer(Tensor device) =>
        HugePages.Prefer((void*)NativeTensor.Address(device), device.numel() * device.element_size());

    private static Tensor From(Tensor all, long first) => all.narrow(0, first, all.size(0) - first);
}
