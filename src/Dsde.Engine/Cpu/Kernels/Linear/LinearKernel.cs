namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>
/// Products of rows of activations with packed weights. All kernels read the same weights, and each of them gives a row the same bits
/// whatever rows are beside it; those of two kernels differ by rounding.
/// </summary>
/// <param name="form">What it multiplies.</param>
/// <param name="tiles">Its tiles.</param>
internal abstract unsafe class LinearKernel(KernelForm form, TileTable tiles)
{
    /// <summary>Multiples of this many steps are taken at once.</summary>
    public const int StepGroup = TileAssembler.Unroll;

    /// <summary>What it multiplies.</summary>
    public KernelForm Form { get; } = form;

    /// <summary>The tiles for each number of rows.</summary>
    public TileTable Tiles { get; } = tiles;

    /// <summary>Adds the products of a tile to its sums.</summary>
    /// <param name="tile">One that <see cref="KernelForm.Fits"/>.</param>
    /// <param name="weights">Of the first block and step.</param>
    /// <param name="blockStride">Bytes from block to block.</param>
    /// <param name="activations">Packed by <see cref="RowPacker"/>. <c>[step][row]</c></param>
    /// <param name="steps">A multiple of <see cref="StepGroup"/>, not 0.</param>
    /// <param name="sums"><c>[rows, blocks · 16] f32</c></param>
    /// <param name="sumStride">Bytes from row to row.</param>
    /// <param name="ahead">What comes next.</param>
    public abstract void Multiply(
        TileShape tile,
        void* weights,
        nint blockStride,
        void* activations,
        nint steps,
        float* sums,
        nint sumStride,
        WeightsAhead ahead
    );
}
