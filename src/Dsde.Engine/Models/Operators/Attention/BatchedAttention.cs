using Dsde.Engine.Models.Passes;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators.Attention;

/// <summary>One batched call over the slots of a pass, padded to the most rows of a slot and the most keys, with a mask.</summary>
internal sealed class BatchedAttention : IAttention
{
    /// <inheritdoc/>
    public Tensor Attend(Tensor query, AttentionShape shape, PassRows rows, Tensor keys, Tensor values)
    {
        using var scope = NewDisposeScope();
        int heads = shape.HeadCount,
            groups = shape.KvHeadCount,
            headDim = shape.HeadDim,
            perGroup = heads / groups;
        long slots = rows.SlotCount,
            queries = rows.QueryCount;
        var grid = rows.GridRows is { } gridRows ? query.index_select(0, gridRows) : query; // [S·Q, h, d]

        // The query heads of a group become further query rows, so that keys and values need no expansion.
        // [S, g, Q·h/g, d]
        grid = grid.reshape(slots, queries, groups, perGroup, headDim).transpose(1, 2).reshape(slots, groups, queries * perGroup, headDim);
        var attended = Softmax.Attend(
            grid,
            Read(keys, rows),
            Read(values, rows),
            rows.Mask(perGroup, query.dtype, shape.SlidingWindow),
            shape
        ); // [S, g, Q·h/g, d]
        // [S·Q, h·d]
        attended = attended.reshape(slots, groups, queries, perGroup, headDim).transpose(1, 2).reshape(slots * queries, heads * headDim);
        return (rows.RowCells is { } cells ? attended.index_select(0, cells) : attended).MoveToOuterDisposeScope();
    }

    /// <summary>The slots and positions a pass attends to, in place. <c>[S, g, T, d]</c></summary>
    private static Tensor Read(Tensor cache, PassRows rows)
    {
        return cache.narrow(0, rows.FirstSlot, rows.SlotCount).narrow(1, 0, rows.KeyCount).transpose(1, 2);
    }
}
