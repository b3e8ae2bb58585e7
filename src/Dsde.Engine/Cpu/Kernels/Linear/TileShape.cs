namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>What one call of a kernel computes, its sums in registers.</summary>
/// <param name="Rows">Rows of activations.</param>
/// <param name="Blocks">Blocks of <see cref="PackedWeight.BlockWidth"/> outputs.</param>
internal readonly record struct TileShape(int Rows, int Blocks);
