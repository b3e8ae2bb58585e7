namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>Chooses what computes linear layers on a processor: the one place that does.</summary>
/// <param name="features">What the processor can do.</param>
/// <param name="assemble">Makes a kernel; null where the system does not let code be made at run time.</param>
internal sealed class KernelChooser(CpuFeatures features, Func<KernelForm, TileTable, LinearKernel?> assemble)
{
    private const string Auto = "auto";
    private const string Avx512Bf16 = "avx512-bf16";
    private const string Avx512 = "avx512";
    private const string Avx2 = "avx2";
    private const string Portable = "portable";
    private const string Torch = "torch";
    private const string NoAvx2 = "the processor has no AVX2";
    private const string NoCode = "the system does not let code be made at run time";

    private readonly Dictionary<KernelForm, LinearKernel?> _assembled = [];
    private readonly Lock _lock = new();

    /// <summary>The one of this machine; what it assembles stays until the process ends.</summary>
    public static KernelChooser Present { get; } = new(CpuFeatures.Present, AssembledKernel.TryCreate);

    /// <summary>Whether bf16 is computed at least as well as fp32, if it may be chosen: by products of its own.</summary>
    /// <param name="wanted">As <see cref="Choose"/> takes it.</param>
    public bool SuitsBf16(string wanted) => wanted is Auto or Avx512Bf16 && WhyNot(Avx512Bf16, isBf16: true) is null;

    /// <summary>Decides.</summary>
    /// <param name="wanted">
    /// <c>auto</c>, or the name of a kernel: <c>avx512-bf16</c>, <c>avx512</c>, <c>avx2</c>, <c>portable</c> or <c>torch</c>.
    /// </param>
    /// <param name="isBf16">Whether weights are bf16; otherwise they are fp32.</param>
    /// <exception cref="NotSupportedException">The kernel that is wanted can't run here; the message says why.</exception>
    public KernelChoice Choose(string wanted, bool isBf16) =>
        wanted switch
        {
            Auto => ChooseBest(isBf16),
            Torch => new KernelChoice(null, Torch, "as asked for"),
            Portable => new KernelChoice(CreatePortable(isBf16), Portable, "as asked for"),
            _ => Require(wanted, isBf16),
        };

    private KernelChoice ChooseBest(bool isBf16)
    {
        foreach (var name in (string[])[Avx512Bf16, Avx512, Avx2])
        {
            if (WhyNot(name, isBf16) is null)
            {
                return new KernelChoice(Find(name, isBf16), name, ReasonFor(name, isBf16));
            }
        }

        // .NET's vectors of 512 bits are slower than torch where the processor has none of them.
        return features.HasAvx512
            ? new KernelChoice(CreatePortable(isBf16), Portable, NoCode)
            : new KernelChoice(null, Torch, features.HasAvx2 ? NoCode : NoAvx2);
    }

    private KernelChoice Require(string name, bool isBf16) =>
        WhyNot(name, isBf16) is { } reason
            ? throw new NotSupportedException($"{reason}.")
            : new KernelChoice(Find(name, isBf16), name, "as asked for");

    private static string ReasonFor(string name, bool isBf16) =>
        name switch
        {
            Avx512Bf16 => "the processor multiplies pairs of bf16",
            Avx512 when isBf16 => "the processor has no AVX512-BF16, so that bf16 is widened",
            Avx512 => "the processor has 512-bit vectors",
            _ => "the processor has no AVX-512",
        };

    private string? WhyNot(string name, bool isBf16) =>
        name switch
        {
            Avx512Bf16 when !isBf16 => "that multiplies bf16 only, and the data type is fp32",
            Avx512Bf16 when !features.HasAvx512Bf16 => "the processor has no AVX512-BF16",
            Avx512 when !features.HasAvx512 => "the processor has no AVX-512",
            Avx2 when !features.HasAvx2 => NoAvx2,
            _ => Find(name, isBf16) is null ? NoCode : null,
        };

    private LinearKernel? Find(string name, bool isBf16) =>
        name switch
        {
            Avx512Bf16 => Assemble(512, WeightForm.Bf16Pairs),
            Avx512 => Assemble(512, isBf16 ? WeightForm.Bf16Widened : WeightForm.Fp32),
            _ => Assemble(256, isBf16 ? WeightForm.Bf16Widened : WeightForm.Fp32),
        };

    private static PortableKernel CreatePortable(bool isBf16) => new(isBf16 ? WeightForm.Bf16Widened : WeightForm.Fp32);

    private LinearKernel? Assemble(int vectorBits, WeightForm weights)
    {
        var form = new KernelForm(vectorBits, weights);
        lock (_lock)
        {
            if (!_assembled.TryGetValue(form, out var kernel))
            {
                kernel = assemble(form, TileTables.Find(form));
                _assembled.Add(form, kernel);
            }

            return kernel;
        }
    }
}
