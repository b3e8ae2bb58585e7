using Dsde.Engine.Cpu.Kernels;
using static TorchSharp.torch;

namespace Dsde.Engine.Kv;

/// <summary>How the keys and values of a head lie in a block.</summary>
internal enum KvLayout
{
    /// <summary>Position by position: <c>[32, d]</c>.</summary>
    Positions,

    /// <summary>As the processor's kernels read weights: <see cref="KeptHead{T}"/>, heads filled up to whole vectors.</summary>
    Weights,
}

/// <summary>What follows from a layout.</summary>
internal static class KvLayouts
{
    private const int Lanes = PartialRow.VectorWidth;
    private const int Length = BlockTable.BlockLength;

    /// <summary>Numbers that a position of a head takes.</summary>
    public static int WidthOf(this KvLayout layout, int headDim) => layout == KvLayout.Weights ? KeptHead<float>.WidthOf(headDim) : headDim;

    /// <summary>Makes the positions of a block from one on zeros, in the caller's scope.</summary>
    /// <param name="layout">How they lie.</param>
    /// <param name="heads">Keys or values of the block. <c>[layers, g, 32·w]</c></param>
    /// <param name="first">The first that becomes zeros.</param>
    /// <param name="areKeys">Whether they are keys.</param>
    public static void Clear(this KvLayout layout, Tensor heads, int first, bool areKeys)
    {
        var (layers, groups, perStep) = (heads.size(0), heads.size(1), sizeof(uint) / heads.element_size());
        if (layout == KvLayout.Positions)
        {
            heads.view(layers, groups, Length, -1).narrow(2, first, Length - first).zero_();
        }
        else if (areKeys)
        {
            var places = heads.view(layers, groups, Length / Lanes, -1, Lanes, perStep);
            for (var half = 0; half < Length / Lanes; half++)
            {
                var from = Math.Clamp(first - (half * Lanes), 0, Lanes);
                places.select(2, half).narrow(3, from, Lanes - from).zero_();
            }
        }
        else
        {
            var places = heads.view(layers, groups, -1, Length / perStep, Lanes, perStep);
            for (var i = 0; i < perStep; i++)
            {
                var from = (first - i + perStep - 1) / perStep;
                places.select(5, i).narrow(3, from, (Length / perStep) - from).zero_();
            }
        }
    }

    /// <summary>Keys or values position by position, in the caller's scope.</summary>
    /// <param name="layout">How they lie.</param>
    /// <param name="places">Whole blocks. <c>[places, width]</c></param>
    /// <param name="areKeys">Whether they are keys.</param>
    /// <returns><c>[places, width]</c></returns>
    public static Tensor ByPosition(this KvLayout layout, Tensor places, bool areKeys)
    {
        if (layout == KvLayout.Positions)
        {
            return places;
        }

        using var scope = NewDisposeScope();
        var (width, perStep) = (places.size(1), sizeof(uint) / places.element_size());
        var positions = areKeys
            ? places.reshape(-1, Length / Lanes, width / perStep, Lanes, perStep).permute(0, 1, 3, 2, 4)
            : places.reshape(-1, width / Lanes, Length / perStep, Lanes, perStep).permute(0, 2, 4, 1, 3);
        return positions.reshape(places.shape).MoveToOuterDisposeScope();
    }
}
