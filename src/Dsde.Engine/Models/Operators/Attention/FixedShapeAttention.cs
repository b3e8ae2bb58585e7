using Dsde.Engine.Models.Passes;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators.Attention;

/// <summary>
/// Attention whose products have the same shapes for a row whatever else a pass holds: each sequence alone, its positions in blocks that
/// begin at multiples of <see cref="BlockRows"/>, so that a position always has the same place in its block, over a number of keys that
/// depends on the block only. Costs calls per sequence, and is for reproducible numerics only.
/// </summary>
internal sealed class FixedShapeAttention : IAttention
{
    /// <summary>Positions of a block.</summary>
    private const int BlockRows = 16;

    /// <summary>Keys come in multiples of this.</summary>
    private const int KeyStep = 256;

    /// <inheritdoc/>
    public Tensor Attend(Tensor query, AttentionShape shape, PassRows rows, Tensor keys, Tensor values)
    {
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        var row = 0;
        foreach (var (slot, first, count) in rows.Spans)
        {
            for (var position = first; position < first + count; )
            {
                var offset = position % BlockRows;
                var taken = Math.Min(BlockRows - offset, first + count - position);
                var blockStart = position - offset;
                var places = rows.Places.OfSlot(slot, (blockStart + BlockRows + KeyStep - 1) / KeyStep * KeyStep);
                parts.Add(AttendBlock(query.narrow(0, row, taken), blockStart, offset, shape, Read(keys, places), Read(values, places)));
                (row, position) = (row + taken, position + taken);
            }
        }

        return cat(parts).MoveToOuterDisposeScope();
    }

    /// <param name="query">Rows of the block. <c>[n, h, d]</c></param>
    /// <param name="blockStart">The block's first position.</param>
    /// <param name="offset">Place of the first row in the block.</param>
    /// <param name="shape">How the layer attends.</param>
    /// <param name="keys">Of the slot. <c>[1, g, T, d]</c></param>
    /// <param name="values">Of the slot; shape as <paramref name="keys"/>.</param>
    /// <returns><c>[n, h·d]</c></returns>
    private static Tensor AttendBlock(Tensor query, int blockStart, int offset, AttentionShape shape, Tensor keys, Tensor values)
    {
        using var scope = NewDisposeScope();
        int groups = shape.KvHeadCount,
            perGroup = shape.HeadCount / groups,
            headDim = shape.HeadDim;
        var block = zeros([BlockRows, shape.HeadCount, headDim], query.dtype, query.device);
        block.narrow(0, offset, query.shape[0]).copy_(query);
        // [1, g, 16·h/g, d]
        block = block.view(BlockRows, groups, perGroup, headDim).transpose(0, 1).reshape(1, groups, BlockRows * perGroup, headDim);

        var mask = Mask(blockStart, keys.size(2), perGroup, shape.SlidingWindow, query);
        var attended = Softmax.Attend(block, keys, values, mask, shape);
        attended = attended.reshape(groups, BlockRows, perGroup, headDim).transpose(0, 1).reshape(BlockRows, shape.HeadCount * headDim);
        return attended.narrow(0, offset, query.shape[0]).clone().MoveToOuterDisposeScope();
    }

    /// <summary>0 where a position of the block may look and −∞ elsewhere. <c>[1, 1, 16·h/g, T]</c></summary>
    private static Tensor Mask(int blockStart, long keyCount, int perGroup, int? window, Tensor like)
    {
        using var scope = NewDisposeScope();
        var last = Scalars.Range(blockStart, blockStart + BlockRows, like.device).unsqueeze(1); // [16, 1]
        var positions = Scalars.Range(keyCount, like.device); // [T]
        var hidden = positions > last; // [16, T]
        if (window is { } seen)
        {
            hidden = hidden.logical_or_(positions <= last.sub(Scalars.Of(seen)));
        }

        return zeros(hidden.shape, like.dtype, like.device)
            .masked_fill_(hidden, Scalars.Of(double.NegativeInfinity))
            .repeat_interleave(perGroup, 0)
            .unsqueeze(0)
            .unsqueeze(0)
            .MoveToOuterDisposeScope();
    }

    /// <summary><c>[1, g, T, d]</c></summary>
    private static Tensor Read(Tensor cache, Tensor places) => cache.index_select(0, places).transpose(0, 1).unsqueeze(0);
}
