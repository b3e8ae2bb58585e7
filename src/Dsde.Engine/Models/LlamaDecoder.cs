using Dsde.Engine.Kv;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Dsde.Engine.Models;

/// <summary>
/// A Llama-shaped decoder over packed rows: RMSNorm, rotary positions, grouped-query attention, gated MLP. Linear layers see the rows as they are
/// packed, without padding; attention sees the slots of the cache in place. Owns its weights. Legend as in <see cref="PassRows"/> and
/// <see cref="LayerWeights"/>.
/// </summary>
internal sealed class LlamaDecoder : IDisposable
{
    private readonly ModelConfig _config;
    private readonly DecoderWeights _weights;
    private readonly RotaryTable _rotary;
    private readonly Tensor _keyPositions; // [max length] i64
    private readonly int _headsPerGroup;

    public LlamaDecoder(ModelConfig config, DecoderWeights weights, int maxLength)
    {
        _config = config;
        _weights = weights;
        _headsPerGroup = config.HeadCount / config.KvHeadCount;
        _rotary = new RotaryTable(config.HeadDim, config.RopeTheta, maxLength, weights.Type, weights.Device);
        _keyPositions = arange(maxLength, dtype: ScalarType.Int64, device: weights.Device).DetachFromDisposeScope();
    }

    /// <summary>Shape of the model.</summary>
    public ModelConfig Config => _config;

    /// <summary>Runs the rows, writes their keys and values into the cache, and gives logits.</summary>
    /// <returns>Logits of the wanted rows, <c>[n, V] f32</c>, in the caller's scope.</returns>
    public Tensor Forward(PassRows rows, KvCache cache)
    {
        using var scope = NewDisposeScope();
        var (cos, sin) = _rotary.At(rows.Positions);
        using var mask = MakeMask(rows);
        var hidden = _weights.Embedding.index_select(0, rows.TokenIds); // [R, H]
        for (var layer = 0; layer < _weights.Layers.Count; layer++)
        {
            var next = ForwardLayer(layer, hidden, rows, cache, cos, sin, mask);
            hidden.Dispose();
            hidden = next;
        }

        if (rows.LogitRows is { } wanted)
        {
            hidden = hidden.index_select(0, wanted); // [n, H]
        }

        var normed = FusedOps.RmsNorm(hidden, _weights.FinalNorm, _config.RmsNormEps);
        return linear(normed, _weights.LanguageHead).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _weights.Dispose();
        _rotary.Dispose();
        _keyPositions.Dispose();
    }

    private Tensor ForwardLayer(int layer, Tensor hidden, PassRows rows, KvCache cache, Tensor cos, Tensor sin, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        var weights = _weights.Layers[layer];
        var normed = FusedOps.RmsNorm(hidden, weights.InputNorm, _config.RmsNormEps);
        var attended = Attend(layer, linear(normed, weights.Qkv), rows, cache, cos, sin, mask);
        var afterAttention = linear(attended, weights.Output).add_(hidden); // [R, H]

        normed = FusedOps.RmsNorm(afterAttention, weights.PostNorm, _config.RmsNormEps);
        var gateUp = linear(normed, weights.GateUp); // [R, 2·I]
        var gate = gateUp.narrow(1, 0, _config.IntermediateSize);
        var up = gateUp.narrow(1, _config.IntermediateSize, _config.IntermediateSize);
        return linear(silu(gate).mul_(up), weights.Down).add_(afterAttention).MoveToOuterDisposeScope();
    }

    /// <summary>Attention of the rows over their slots. <paramref name="qkv"/>: <c>[R, (h + 2g)·d]</c>; result <c>[R, h·d]</c>.</summary>
    private Tensor Attend(int layer, Tensor qkv, PassRows rows, KvCache cache, Tensor cos, Tensor sin, Tensor? mask)
    {
        int heads = _config.HeadCount, groups = _config.KvHeadCount, headDim = _config.HeadDim;
        var split = qkv.view(-1, heads + (2 * groups), headDim);
        var rotated = _rotary.Rotate(split.narrow(1, 0, heads + groups), cos, sin); // [R, h + g, d]
        Write(cache.Keys(layer), rows.CacheRows, rotated.narrow(1, heads, groups));
        Write(cache.Values(layer), rows.CacheRows, split.narrow(1, heads + groups, groups));

        var query = rotated.narrow(1, 0, heads);
        if (rows.GridRows is { } gridRows)
        {
            query = query.index_select(0, gridRows); // [S·Q, h, d]
        }

        // The query heads of a group become further query rows, so that keys and values need no expansion.
        long slots = rows.SlotCount, queries = rows.QueryCount;
        query = query.reshape(slots, queries, groups, _headsPerGroup, headDim).transpose(1, 2)
            .reshape(slots, groups, queries * _headsPerGroup, headDim); // [S, g, Q·h/g, d]
        var attended = scaled_dot_product_attention(
            query, Read(cache.Keys(layer), rows), Read(cache.Values(layer), rows), mask); // [S, g, Q·h/g, d]
        attended = attended.reshape(slots, groups, queries, _headsPerGroup, headDim).transpose(1, 2)
            .reshape(slots * queries, heads * headDim); // [S·Q, h·d]
        return rows.RowCells is { } cells ? attended.index_select(0, cells) : attended;
    }

    private static void Write(Tensor cache, Tensor cacheRows, Tensor values)
    {
        cache.view(-1, cache.shape[2], cache.shape[3]).index_copy_(0, cacheRows, values);
    }

    /// <summary>The slots and positions a pass attends to, in place. <c>[S, g, T, d]</c></summary>
    private static Tensor Read(Tensor cache, PassRows rows)
    {
        return cache.narrow(0, rows.FirstSlot, rows.SlotCount).narrow(1, 0, rows.KeyCount).transpose(1, 2);
    }

    /// <summary>0 where a query may look and −∞ elsewhere, <c>[S, 1, Q·h/g, T]</c>; null if one query sees all keys.</summary>
    private Tensor? MakeMask(PassRows rows)
    {
        if (rows.SlotCount == 1 && rows.QueryCount == 1)
        {
            return null;
        }

        using var scope = NewDisposeScope();
        var hidden = _keyPositions.narrow(0, 0, rows.KeyCount) > rows.LastKeys.unsqueeze(-1); // [S, Q, T]
        var mask = zeros(hidden.shape, dtype: _weights.Type, device: _weights.Device).masked_fill_(hidden, double.NegativeInfinity);
        return mask.repeat_interleave(_headsPerGroup, 1).unsqueeze(1).MoveToOuterDisposeScope();
    }
}
