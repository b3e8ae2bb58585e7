using Dsde.Engine.Models.Passes;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators.Attention;

/// <summary>
/// One batched call over the sequences of a pass, padded to the most rows and the most keys of one, with a mask. Keys and values are
/// gathered from their blocks.
/// </summary>
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
        long sequences = rows.SequenceCount,
            queries = rows.QueryCount;
        var grid = rows.GridRows is { } gridRows ? query.index_select(0, gridRows) : query; // [N·Q, h, d]

        // The query heads of a group become further query rows, so that keys and values need no expansion.
        // [N, g, Q·h/g, d]
        grid = grid.reshape(sequences, queries, groups, perGroup, headDim)
            .transpose(1, 2)
            .reshape(sequences, groups, queries * perGroup, headDim);
        var attended = Softmax.Attend(
            grid,
            Read(keys, rows),
            Read(values, rows),
            rows.Mask(perGroup, query.dtype, shape.SlidingWindow),
            shape
        ); // [N, g, Q·h/g, d]
        // [N·Q, h·d]
        attended = attended
            .reshape(sequences, groups, queries, perGroup, headDim)
            .transpose(1, 2)
            .reshape(sequences * queries, heads * headDim);
        return (rows.RowCells is { } cells ? attended.index_select(0, cells) : attended).MoveToOuterDisposeScope();
    }

    /// <summary>What a pass attends to. <c>[N, g, T, d]</c></summary>
    private static Tensor Read(Tensor cache, PassRows rows) =>
        cache.index_select(0, rows.Places.Grid).view(rows.SequenceCount, rows.KeyCount, cache.size(1), cache.size(2)).transpose(1, 2);
}
