using Dsde.Engine.Cpu.Kernels.Linear;
using Dsde.Engine.Kv;
using Dsde.Engine.Models.Operators;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models;

/// <summary>A model together with its cache.</summary>
internal sealed class CachedDecoder : IDisposable
{
    private readonly Decoder _decoder;
    private readonly IDecoderOps _ops;

    /// <summary>Loads a model folder for some sequences of some length, onto one device.</summary>
    /// <exception cref="ModelLoadException">The folder does not hold what its configuration says.</exception>
    public CachedDecoder(
        ModelFolder folder,
        int slotCount,
        int maxLength,
        ScalarType type,
        Device device,
        bool isDeterministic = false,
        int? vocabularySize = null,
        int? blockCount = null,
        KernelChoice? kernels = null
    )
        : this(folder, slotCount, maxLength, type, [device], isDeterministic, vocabularySize, blockCount, kernels) { }

    /// <summary>Loads a model folder for some sequences of some length, its layers spread over devices.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="slotCount">Sequences.</param>
    /// <param name="maxLength">Positions of each.</param>
    /// <param name="type">Type of weights, activations and cache.</param>
    /// <param name="devices">Where the layers are, in order.</param>
    /// <param name="isDeterministic">Whether a row's logits must be bitwise independent of the rows beside it.</param>
    /// <param name="vocabularySize">Tokens (V) to give logits for, where further rows of the output projection only pad it; null for all
    /// rows.</param>
    /// <param name="blockCount">Blocks of the cache; null for what all sequences take at full length.</param>
    /// <param name="kernels">What multiplies on a processor; null for what suits it.</param>
    /// <exception cref="ModelLoadException">The folder does not hold what its configuration says.</exception>
    public CachedDecoder(
        ModelFolder folder,
        int slotCount,
        int maxLength,
        ScalarType type,
        IReadOnlyList<Device> devices,
        bool isDeterministic = false,
        int? vocabularySize = null,
        int? blockCount = null,
        KernelChoice? kernels = null
    )
    {
        VocabularySize = vocabularySize ?? folder.Config.VocabularySize;
        Device = devices[0];
        var placement = LayerPlacement.Spread(folder.Config, devices);
        _ops = DecoderOperators.Create(
            type,
            devices.FirstOrDefault(device => device.type != DeviceType.CPU) ?? devices[0],
            isDeterministic,
            kernels ?? KernelChooser.Present.Choose("auto", type == ScalarType.BFloat16)
        );
        try
        {
            _decoder = Load(folder, DecoderWeights.Load(folder, type, placement, _ops, VocabularySize), _ops, maxLength);
            Cache = new KvCache(folder.Config, slotCount, maxLength, type, placement.Layers, blockCount, _ops.CacheLayout);
        }
        catch
        {
            _decoder?.Dispose();
            (_ops as IDisposable)?.Dispose();
            throw;
        }
    }

    /// <summary>Keys and values of the running sequences.</summary>
    public KvCache Cache { get; }

    /// <summary>
    /// Tokens of the vocabulary that logits are given for (V): the same in a target and its draft, whatever their paddings.
    /// </summary>
    public int VocabularySize { get; }

    /// <summary>Where rows come from and logits go to.</summary>
    public Device Device { get; }

    /// <summary>Sees each pass before it is made, and may let it fail: tests look on here, and let memory run out.</summary>
    internal Action<PassRows>? BeforePass { get; set; }

    /// <summary>A pass over packed rows: <c>[n, V] f32</c>, in the caller's scope.</summary>
    public Tensor Forward(PassRows rows)
    {
        BeforePass?.Invoke(rows);
        return _decoder.Forward(rows, Cache);
    }

    /// <summary>The model's weights, as long as this lives.</summary>
    public DecoderWeights Weights => _decoder.Weights;

    /// <summary>How each layer attends.</summary>
    public IReadOnlyList<AttentionShape> Attention => _decoder.Attention;

    /// <summary>What passes are made of.</summary>
    public IDecoderOps Operators => _ops;

    /// <inheritdoc/>
    public void Dispose()
    {
        (_ops as IDisposable)?.Dispose();
        _decoder.Dispose();
        Cache.Dispose();
    }

    /// <summary>A decoder, or an exception and the weights given back.</summary>
    private static Decoder Load(ModelFolder folder, DecoderWeights weights, IDecoderOps ops, int maxLength)
    {
        try
        {
            return new Decoder(folder.Config, weights, ops, maxLength);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }
}
