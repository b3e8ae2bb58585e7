using Dsde.Engine.Cpu.Kernels.Linear;
using Dsde.Engine.Loading;
using Dsde.Engine.Tests.Generation;
using TorchSharp;

namespace Dsde.Engine.Tests.Cpu;

/// <summary>Which kernel runs where, on processors and systems that need not be this one.</summary>
public sealed class KernelChooserTests
{
    private static readonly CpuFeatures None = new(HasAvx2: false, HasAvx512: false, HasAvx512Bf16: false);
    private static readonly CpuFeatures Avx2 = None with { HasAvx2 = true };
    private static readonly CpuFeatures Avx512 = Avx2 with { HasAvx512 = true };
    private static readonly CpuFeatures Bf16 = Avx512 with { HasAvx512Bf16 = true };

    public static TheoryData<string, bool, bool, string, string> Best() =>
        new()
        {
            { "bf16", true, true, "avx512-bf16", "the processor multiplies pairs of bf16" },
            { "bf16", true, false, "avx512", "the processor has 512-bit vectors" },
            { "avx512", true, true, "avx512", "the processor has no AVX512-BF16, so that bf16 is widened" },
            { "avx512", true, false, "avx512", "the processor has 512-bit vectors" },
            { "avx2", true, true, "avx2", "the processor has no AVX-512" },
            { "avx2", true, false, "avx2", "the processor has no AVX-512" },
            { "none", true, true, "torch", "the processor has no AVX2" },
            { "bf16", false, true, "portable", "the system does not let code be made at run time" },
            { "avx512", false, false, "portable", "the system does not let code be made at run time" },
            { "avx2", false, true, "torch", "the system does not let code be made at run time" },
        };

    [Theory]
    [MemberData(nameof(Best))]
    public void Auto_takes_the_best_that_processor_and_system_allow(
        string processor,
        bool canMakeCode,
        bool isBf16,
        string expected,
        string reason
    )
    {
        var choice = Chooser(processor, canMakeCode).Choose("auto", isBf16);

        choice.Description.ShouldBe($"{expected} ({reason})");
        (choice.Kernel is null).ShouldBe(expected == "torch");
    }

    [Theory]
    [InlineData("avx512", "avx512-bf16", true, "the processor has no AVX512-BF16.")]
    [InlineData("bf16", "avx512-bf16", false, "that multiplies bf16 only, and the data type is fp32.")]
    [InlineData("avx2", "avx512", true, "the processor has no AVX-512.")]
    [InlineData("none", "avx2", false, "the processor has no AVX2.")]
    public void What_the_processor_has_not_is_refused_by_name(string processor, string wanted, bool isBf16, string reason) =>
        Should.Throw<NotSupportedException>(() => Chooser(processor, true).Choose(wanted, isBf16)).Message.ShouldBe(reason);

    [Fact]
    public void Assembled_kernels_are_refused_where_no_code_can_be_made() =>
        Should
            .Throw<NotSupportedException>(() => Chooser("bf16", canMakeCode: false).Choose("avx2", isBf16: true))
            .Message.ShouldBe("the system does not let code be made at run time.");

    [Theory]
    [InlineData("bf16", true, "auto", true)]
    [InlineData("bf16", true, "avx512-bf16", true)]
    [InlineData("bf16", true, "avx512", false)]
    [InlineData("bf16", true, "torch", false)]
    [InlineData("bf16", false, "auto", false)]
    [InlineData("avx512", true, "auto", false)]
    public void Bf16_suits_a_processor_that_multiplies_it_by_itself(string processor, bool canMakeCode, string wanted, bool expected) =>
        Chooser(processor, canMakeCode).SuitsBf16(wanted).ShouldBe(expected);

    [Theory]
    [InlineData("BF16", true)]
    [InlineData("F32", false)]
    [InlineData("F16", false)]
    public void Auto_computes_in_bf16_where_the_target_is_stored_so_and_the_machine_does_it_well(string storedAs, bool isBf16)
    {
        using var folder = new Dsde.Testing.ScratchFolder("stored");
        TestModelFolder.Write(folder.Path, TestPair.TargetShape with { StoredAs = storedAs });

        var compute = ComputeSettings.Choose(new EngineOptions { Target = folder.Path, Device = "cpu" });

        compute.Type.ShouldBe(isBf16 && KernelChooser.Present.SuitsBf16("auto") ? torch.ScalarType.BFloat16 : torch.ScalarType.Float32);
        compute.Kernels.ShouldNotBeNull();
    }

    [Fact]
    public void A_kernel_that_does_not_go_with_the_type_is_refused_as_a_setting() =>
        Should
            .Throw<ModelLoadException>(() =>
                ComputeSettings.Choose(
                    new EngineOptions
                    {
                        Target = DemoSamples.Target,
                        Device = "cpu",
                        DataType = "fp32",
                        CpuKernels = "avx512-bf16",
                    }
                )
            )
            .Message.ShouldStartWith("Dsde:Engine:CpuKernels is avx512-bf16, but ");

    private static KernelChooser Chooser(string processor, bool canMakeCode) =>
        new(
            processor switch
            {
                "bf16" => Bf16,
                "avx512" => Avx512,
                "avx2" => Avx2,
                _ => None,
            },
            (form, tiles) => canMakeCode ? new NamedKernel(form, tiles) : null
        );

    /// <summary>A kernel that this processor may not be able to run.</summary>
    private sealed class NamedKernel(KernelForm form, TileTable tiles) : LinearKernel(form, tiles)
    {
        public override unsafe void Multiply(
            TileShape tile,
            void* weights,
            nint blockStride,
            void* activations,
            nint steps,
            float* sums,
            nint sumStride,
            WeightsAhead ahead
        ) => throw new NotSupportedException("It is not run.");
    }
}
