namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>What a kernel is made of.</summary>
/// <param name="VectorBits">512 or 256.</param>
/// <param name="Weights">How weights become sums.</param>
internal readonly record struct KernelForm(int VectorBits, WeightForm Weights)
{
    /// <summary>Vectors that a block of outputs takes.</summary>
    public int VectorsPerBlock => 512 / VectorBits;

    /// <summary>Registers that hold sums and what is multiplied.</summary>
    public int RegisterCount => VectorBits == 512 ? 32 : 16;

    /// <summary>Registers for a vector of weights while it is multiplied.</summary>
    public int RegistersPerWeight => Weights == WeightForm.Bf16Widened ? 2 : 1;

    /// <summary>Registers for what does not depend on the tile: a number of activations, and what separates pairs of weights.</summary>
    public int SharedRegisters => Weights == WeightForm.Bf16Widened ? 2 : 1;

    /// <summary>Bytes of activations that a step takes of each row.</summary>
    public int StepBytes => Weights == WeightForm.Bf16Widened ? 2 * sizeof(float) : sizeof(float);

    /// <summary>Whether the registers hold a tile.</summary>
    public bool Fits(TileShape tile) =>
        (tile.Rows * tile.Blocks * VectorsPerBlock) + (tile.Blocks * VectorsPerBlock * RegistersPerWeight) + SharedRegisters
        <= RegisterCount;
}
