using Dsde.Engine.Benchmarking;
using Dsde.Engine.Kv;
using Dsde.Engine.Models.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models;

/// <summary>
/// The decoder that every supported family is a configuration of, over packed rows: RMSNorm, rotary positions, grouped-query attention, gated MLP.
/// Linear layers see the rows as they are packed, without padding; attention sees the slots of the cache in place. Owns its weights. Legend as in
/// <see cref="PassRows"/> and <see cref="LayerWeights"/>.
/// </summary>
internal sealed class Decoder : IDisposable
{
    private readonly DecoderWeights _weights;
    private readonly IDecoderOps _ops;
    private readonly RotaryTable _rotary;
    private readonly AttentionShape _attention;

    public Decoder(ModelConfig config, DecoderWeights weights, IDecoderOps ops, int maxLength)
    {
        Config = config;
        _weights = weights;
        _ops = ops;
        _rotary = new RotaryTable(config.HeadDim, config.RopeTheta, maxLength, weights.Type, weights.Device);
        _attention = new AttentionShape(config.HeadCount, config.KvHeadCount, config.HeadDim, 1 / Math.Sqrt(config.HeadDim), _rotary);
    }

    /// <summary>Shape of the model.</summary>
    public ModelConfig Config { get; }

    /// <summary>Its linear layers alone, for measurement.</summary>
    public LinearLayers CreateLinearLayers() => new(_weights, _ops);

    /// <summary>Runs the rows, writes their keys and values into the cache, and gives logits. Uses the rows up.</summary>
    /// <returns>Logits of the wanted rows, <c>[n, V] f32</c>, in the caller's scope.</returns>
    public Tensor Forward(PassRows rows, KvCache cache)
    {
        using var scope = NewDisposeScope();
        using var pass = rows;
        var hidden = _weights.Embedding.index_select(0, rows.TokenIds); // [R, H]
        for (var layer = 0; layer < _weights.Layers.Count; layer++)
        {
            var next = ForwardLayer(_weights.Layers[layer], hidden, rows, cache.Keys(layer), cache.Values(layer));
            hidden.Dispose();
            hidden = next;
        }

        if (rows.LogitRows is { } wanted)
        {
            hidden = hidden.index_select(0, wanted); // [n, H]
        }

        var normed = _ops.RmsNorm(hidden, _weights.FinalNorm, Config.RmsNormEps);
        return _ops.Logits(normed, _weights.LanguageHead).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _weights.Dispose();
        _rotary.Dispose();
    }

    private Tensor ForwardLayer(LayerWeights weights, Tensor hidden, PassRows rows, Tensor keys, Tensor values)
    {
        using var scope = NewDisposeScope();
        var normed = _ops.RmsNorm(hidden, weights.InputNorm, Config.RmsNormEps);
        var attended = _ops.Attend(_ops.Linear(normed, weights.Qkv), _attention, rows, keys, values); // [R, h·d]
        var afterAttention = _ops.LinearAdd(attended, weights.Output, hidden); // [R, H]
        normed = _ops.RmsNorm(afterAttention, weights.PostNorm, Config.RmsNormEps);
        var gated = _ops.GatedLinear(normed, weights.GateUp, GateActivation.Silu); // [R, I]
        return _ops.LinearAdd(gated, weights.Down, afterAttention).MoveToOuterDisposeScope();
    }
}
