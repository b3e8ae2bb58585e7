namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>The plans of all kernels, found by tools/Dsde.KernelSearch.</summary>
internal static class TileTables
{
    /// <summary>Those of a form.</summary>
    public static TileTable Find(KernelForm form) =>
        (form.VectorBits, form.Weights) switch
        {
            (512, WeightForm.Bf16Pairs) => Avx512Bf16,
            (512, WeightForm.Bf16Widened) => Avx512Widened,
            (512, _) => Avx512Fp32,
            (_, WeightForm.Bf16Widened) => Avx2Widened,
            _ => Avx2Fp32,
        };

    /// <summary>Pairs of bf16 on 512-bit vectors.</summary>
    private static TileTable Avx512Bf16 { get; } =
        new(
            (1, new TilePlan(1, 4, 8)),
            (2, new TilePlan(2, 4, 8)),
            (4, new TilePlan(4, 2, 4)),
            (6, new TilePlan(6, 2, 8)),
            (9, new TilePlan(9, 3, 6)),
            (12, new TilePlan(12, 2, 4)),
            (14, new TilePlan(14, 2, 8)),
            (16, new TilePlan(8, 2, 8)),
            (int.MaxValue, new TilePlan(6, 4, 16))
        );

    /// <summary>fp32 on 512-bit vectors.</summary>
    private static TileTable Avx512Fp32 { get; } =
        new(
            (1, new TilePlan(1, 4, 4)),
            (2, new TilePlan(2, 4, 8)),
            (4, new TilePlan(4, 2, 8)),
            (9, new TilePlan(9, 3, 6)),
            (16, new TilePlan(16, 1, 4)),
            (int.MaxValue, new TilePlan(12, 2, 4))
        );

    /// <summary>Widened bf16 on 512-bit vectors.</summary>
    private static TileTable Avx512Widened { get; } =
        new(
            (1, new TilePlan(1, 4, 8)),
            (2, new TilePlan(2, 4, 8)),
            (4, new TilePlan(4, 3, 6)),
            (8, new TilePlan(8, 3, 6)),
            (16, new TilePlan(16, 1, 4)),
            (int.MaxValue, new TilePlan(12, 2, 4))
        );

    /// <summary>fp32 on 256-bit vectors.</summary>
    private static TileTable Avx2Fp32 { get; } = new((2, new TilePlan(2, 2, 8)), (int.MaxValue, new TilePlan(6, 1, 4)));

    /// <summary>Widened bf16 on 256-bit vectors.</summary>
    private static TileTable Avx2Widened { get; } = new((1, new TilePlan(1, 2, 4)), (int.MaxValue, new TilePlan(5, 1, 4)));
}
