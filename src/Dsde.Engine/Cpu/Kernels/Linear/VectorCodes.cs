using Iced.Intel;

namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>The same instructions on vectors of two lengths.</summary>
internal sealed record VectorCodes(Register First, Code Load, Code Store, Code Broadcast, Code MultiplyAdd, Code ShiftLeft, Code And)
{
    /// <summary>Registers of 512 bits.</summary>
    public static VectorCodes Wide { get; } =
        new(
            Register.ZMM0,
            Code.EVEX_Vmovups_zmm_k1z_zmmm512,
            Code.EVEX_Vmovups_zmmm512_k1z_zmm,
            Code.EVEX_Vbroadcastss_zmm_k1z_xmmm32,
            Code.EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er,
            Code.EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8,
            Code.EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32
        );

    /// <summary>Registers of 256 bits.</summary>
    public static VectorCodes Narrow { get; } =
        new(
            Register.YMM0,
            Code.VEX_Vmovups_ymm_ymmm256,
            Code.VEX_Vmovups_ymmm256_ymm,
            Code.VEX_Vbroadcastss_ymm_m32,
            Code.VEX_Vfmadd231ps_ymm_ymm_ymmm256,
            Code.VEX_Vpslld_ymm_ymm_imm8,
            Code.VEX_Vpand_ymm_ymm_ymmm256
        );
}
