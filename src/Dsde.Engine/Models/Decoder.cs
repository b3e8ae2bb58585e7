using Dsde.Engine.Kv;
using Dsde.Engine.Models.Operators;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Models.Weights;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models;

/// <summary>
/// The decoder that every supported family is a configuration of, over packed rows: RMSNorm, rotary positions, grouped-query attention,
/// gated MLP. Linear layers see the rows as they are packed, without padding; attention sees the slots of the cache in place. Where layers
/// lie on several devices the rows walk from one to the next. Owns its weights. Legend as in <see cref="PassRows"/> and
/// <see cref="LayerWeights"/>.
/// </summary>
internal sealed class Decoder : IDisposable
{
    private readonly DecoderWeights _weights;
    private readonly IDecoderOps _ops;
    private readonly RotaryTables _rotary;
    private readonly IReadOnlyList<AttentionShape> _attention;
    private readonly Tensor? _embeddingScale; // []
    private readonly IDecoderPass? _pass;

    public Decoder(ModelConfig config, DecoderWeights weights, IDecoderOps ops, int maxLength)
    {
        Config = config;
        _weights = weights;
        _ops = ops;
        _rotary = new RotaryTables(config, maxLength, weights.Type);
        _attention = [.. weights.Layers.Select((layer, index) => ShapeOf(config, layer, index, _rotary.On(layer.Device)))];

        // In the type of the rows, as the models were trained: √hidden is rounded to it.
        _embeddingScale =
            config.EmbeddingScale == 1 ? null : tensor(config.EmbeddingScale, weights.Type, weights.Device).DetachFromDisposeScope();
        using var scale = _embeddingScale?.to(ScalarType.Float32);
        _pass = ops.CreatePass(config, weights, _attention, scale?.item<float>() ?? 1);
    }

    /// <summary>Shape of the model.</summary>
    public ModelConfig Config { get; }

    /// <summary>What it computes with; belongs to it.</summary>
    public DecoderWeights Weights => _weights;

    /// <summary>How each layer attends.</summary>
    public IReadOnlyList<AttentionShape> Attention => _attention;

    /// <summary>Runs the rows, writes their keys and values into the cache, and gives logits. Uses the rows up.</summary>
    /// <returns>Logits of the wanted rows, <c>[n, V] f32</c>, on the device of the rows, in the caller's scope.</returns>
    public Tensor Forward(PassRows rows, KvCache cache)
    {
        if (_pass is not null)
        {
            using var passScope = NewDisposeScope();
            using (rows)
            {
                return Cap(_pass.Run(rows, cache)).MoveToOuterDisposeScope();
            }
        }

        using var scope = NewDisposeScope();
        using var pass = new DevicePasses(rows, _weights.Device);
        var hidden = _ops.Embed(rows.TokenIds, _weights.Embedding); // [R, H]
        if (_embeddingScale is not null)
        {
            hidden.mul_(_embeddingScale);
        }

        for (var layer = 0; layer < _weights.Layers.Count; layer++)
        {
            hidden = pass.GoOn(_weights.Layers[layer].Device, hidden);
            var next = ForwardLayer(layer, hidden, pass.Current, cache);
            hidden.Dispose();
            hidden = next;
        }

        if (pass.Current.LogitRows is { } wanted)
        {
            hidden = hidden.index_select(0, wanted); // [n, H]
        }

        var normed = _ops.RmsNorm(hidden, _weights.FinalNorm, Config.RmsNormEps);
        var logits = _ops.Logits(normed, _weights.LanguageHead);
        return pass.Return(Cap(logits)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pass?.Dispose();
        _weights.Dispose();
        _rotary.Dispose();
        _embeddingScale?.Dispose();
    }

    private static AttentionShape ShapeOf(ModelConfig config, LayerWeights weights, int layer, RotaryTable rotary) =>
        new(config.HeadCount, config.KvHeadCount, config.HeadDim, config.AttentionScale, rotary)
        {
            QueryNorm = weights.QueryNorm,
            KeyNorm = weights.KeyNorm,
            NormEps = config.RmsNormEps,
            SoftCap = config.AttentionSoftCap,
            SlidingWindow = config.SlidingWindows[layer],
        };

    private Tensor ForwardLayer(int layer, Tensor hidden, PassRows rows, KvCache cache)
    {
        using var scope = NewDisposeScope();
        var weights = _weights.Layers[layer];
        var normed = _ops.RmsNorm(hidden, weights.InputNorm, Config.RmsNormEps);
        // [R, h·d]
        var attended = _ops.Attend(_ops.Linear(normed, weights.Qkv), _attention[layer], rows, cache.Keys(layer), cache.Values(layer));
        var afterAttention = Project(attended, weights.Output, weights.AttentionOutputNorm, hidden); // [R, H]
        normed = _ops.RmsNorm(afterAttention, weights.MlpNorm, Config.RmsNormEps);
        var gated = _ops.GatedLinear(normed, weights.GateUp, Config.Activation); // [R, I]
        return Project(gated, weights.Down, weights.MlpOutputNorm, afterAttention).MoveToOuterDisposeScope();
    }

    /// <summary>Back to the residual stream, through the block's output norm if it has one. <c>[R, H]</c></summary>
    private Tensor Project(Tensor x, LinearWeight weight, Tensor? norm, Tensor residual) =>
        norm is null
            ? _ops.LinearAdd(x, weight, residual)
            : _ops.RmsNorm(_ops.Linear(x, weight), norm, Config.RmsNormEps).PlusInPlace(residual);

    private Tensor Cap(Tensor logits) =>
        Config.LogitSoftCap is { } cap ? logits.div_(Scalars.Of(cap)).tanh_().mul_(Scalars.Of(cap)) : logits;
}
