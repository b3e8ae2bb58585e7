using System.Runtime.Intrinsics.X86;

namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>What the processor can do, as far as the runtime is allowed to use it (<c>DOTNET_EnableAVX512F=0</c> and its like).</summary>
/// <param name="HasAvx2">256-bit vectors, multiplied and added in one instruction.</param>
/// <param name="HasAvx512">512-bit vectors.</param>
/// <param name="HasAvx512Bf16">Products of bf16 pairs on them.</param>
internal readonly record struct CpuFeatures(bool HasAvx2, bool HasAvx512, bool HasAvx512Bf16)
{
    private const int ExtendedFeatures = 7; // leaf of CPUID
    private const int Bf16Bit = 5; // of EAX in its subleaf 1

    /// <summary>Those of this machine.</summary>
    public static CpuFeatures Present { get; } = Detect();

    private static CpuFeatures Detect()
    {
        var hasAvx512 = Avx512F.IsSupported && Avx512BW.IsSupported;
        var hasBf16 =
            hasAvx512
            && X86Base.CpuId(0, 0).Eax >= ExtendedFeatures
            && X86Base.CpuId(ExtendedFeatures, 0).Eax >= 1
            && ((X86Base.CpuId(ExtendedFeatures, 1).Eax >> Bf16Bit) & 1) == 1;
        return new CpuFeatures(Avx2.IsSupported && Fma.IsSupported, hasAvx512, hasBf16);
    }
}
