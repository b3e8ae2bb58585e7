using Dsde.Engine.Cpu.Kernels.Linear;

namespace Dsde.Engine.Models.Operators.Cpu;

/// <summary>A weight packed for the kernels, in memory that belongs to the operators.</summary>
internal sealed class CpuWeight(PackedWeight packed) : LinearWeight
{
    /// <summary>The weight.</summary>
    public PackedWeight Packed { get; } = packed;

    /// <inheritdoc/>
    public override int OutputCount => Packed.OutputCount;

    /// <inheritdoc/>
    public override int InputCount => Packed.InputCount;

    /// <inheritdoc/>
    public override long ByteCount => (long)OutputCount * InputCount * Packed.ElementSize;

    /// <inheritdoc/>
    public override LinearWeight First(int outputCount) => new CpuWeight(Packed.First(outputCount));
}
