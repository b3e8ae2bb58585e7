using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Dsde.Engine.Models.Operators;

/// <summary>The operators on torch, for any device and any number of rows.</summary>
internal sealed class TorchOps : IDecoderOps
{
    /// <inheritdoc/>
    public Tensor RmsNorm(Tensor x, Tensor weight, double eps) => FusedOps.RmsNorm(x, weight, eps);

    /// <inheritdoc/>
    public Tensor Linear(Tensor x, LinearWeight weight) => linear(x, weight.Weight, weight.Bias);

    /// <inheritdoc/>
    public Tensor LinearAdd(Tensor x, LinearWeight weight, Tensor residual) => linear(x, weight.Weight, weight.Bias).add_(residual);

    /// <inheritdoc/>
    public Tensor GatedLinear(Tensor x, LinearWeight gateUp, GateActivation activation)
    {
        using var scope = NewDisposeScope();
        var both = linear(x, gateUp.Weight, gateUp.Bias); // [R, 2·I]
        var width = both.shape[1] / 2;
        var gate = both.narrow(1, 0, width);
        var activated = activation == GateActivation.Silu ? silu(gate) : gelu(gate, TorchSharp.Modules.GELU.Approximate.tanh);
        return activated.mul_(both.narrow(1, width, width)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Attend(Tensor qkv, AttentionShape shape, PassRows rows, Tensor keys, Tensor values)
    {
        using var scope = NewDisposeScope();
        int heads = shape.HeadCount, groups = shape.KvHeadCount, headDim = shape.HeadDim, perGroup = heads / groups;
        var split = qkv.view(-1, heads + (2 * groups), headDim);
        var rotated = shape.Rotary.Rotate(split.narrow(1, 0, heads + groups), rows.Positions); // [R, h + g, d]
        Write(keys, rows.CacheRows, rotated.narrow(1, heads, groups));
        Write(values, rows.CacheRows, split.narrow(1, heads + groups, groups));

        var query = rotated.narrow(1, 0, heads);
        if (rows.GridRows is { } gridRows)
        {
            query = query.index_select(0, gridRows); // [S·Q, h, d]
        }

        // The query heads of a group become further query rows, so that keys and values need no expansion.
        long slots = rows.SlotCount, queries = rows.QueryCount;
        query = query.reshape(slots, queries, groups, perGroup, headDim).transpose(1, 2)
            .reshape(slots, groups, queries * perGroup, headDim); // [S, g, Q·h/g, d]
        var attended = scaled_dot_product_attention(query, Read(keys, rows), Read(values, rows), rows.Mask(perGroup, qkv.dtype)); // [S, g, Q·h/g, d]
        attended = attended.reshape(slots, groups, queries, perGroup, headDim).transpose(1, 2)
            .reshape(slots * queries, heads * headDim); // [S·Q, h·d]
        return (rows.RowCells is { } cells ? attended.index_select(0, cells) : attended).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Logits(Tensor x, LinearWeight head) => linear(x, head.Weight, head.Bias).to(ScalarType.Float32);

    private static void Write(Tensor cache, Tensor cacheRows, Tensor values)
    {
        cache.view(-1, cache.shape[2], cache.shape[3]).index_copy_(0, cacheRows, values);
    }

    /// <summary>The slots and positions a pass attends to, in place. <c>[S, g, T, d]</c></summary>
    private static Tensor Read(Tensor cache, PassRows rows)
    {
        return cache.narrow(0, rows.FirstSlot, rows.SlotCount).narrow(1, 0, rows.KeyCount).transpose(1, 2);
    }
}
