namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>How weights become sums.</summary>
internal enum WeightForm
{
    /// <summary>fp32, multiplied and added in one instruction.</summary>
    Fp32,

    /// <summary>bf16, two products of a pair added in one instruction.</summary>
    Bf16Pairs,

    /// <summary>bf16, each half of a pair widened to fp32 and multiplied.</summary>
    Bf16Widened,
}
