using Dsde.Engine.Sampling;
using Dsde.Engine.Tests.Generation;
using Dsde.Engine.Tests.Models;
using Dsde.Testing;
using TorchSharp;

namespace Dsde.Engine.Tests.Gpu;

/// <summary>What only a machine with a CUDA device can tell. Run with DSDE_TEST_GPU=1 on a build for CUDA (-p:Accelerator=cuda).</summary>
[Trait("Category", "Gpu")]
public sealed class CudaTests : IDisposable
{
    private static readonly int[] Text = [.. Enumerable.Range(0, 40).Select(i => ((i * 89) + (i * i * 7) + 5) % 290)];

    private readonly ScratchFolder _folder = new("cuda");

    public CudaTests() => torch.cuda.is_available().ShouldBeTrue("A GPU is declared, and CUDA can't be used.");

    public static TheoryData<string> Families => FamilyShapes.Names;

    private static torch.Device Gpu => new(DeviceType.CUDA, 0);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Families))]
    public void Fp32_logits_of_every_family_are_those_of_the_processor(string family)
    {
        var expected = Logits(FamilyShapes.Find(family), torch.ScalarType.Float32, torch.CPU);

        ShouldBeClose(Logits(FamilyShapes.Find(family), torch.ScalarType.Float32, Gpu), expected, 1e-3);
    }

    /// <summary>Heads a multiple of 8 wide, so that the flash kernel computes all but Gemma 2 with soft-caps.</summary>
    [Theory]
    [MemberData(nameof(Families))]
    public void Bf16_logits_by_the_flash_kernel_are_near_fp32_ones(string family)
    {
        var shape = FamilyShapes.Find(family) with { HeadDim = 16, StoredAs = "BF16" };
        var expected = Logits(shape, torch.ScalarType.Float32, torch.CPU);

        ShouldBeClose(Logits(shape, torch.ScalarType.BFloat16, Gpu), expected, 0.08 * expected.Max(row => row.Max(Math.Abs)));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Layers_on_several_devices_compute_the_same(string family)
    {
        var shape = FamilyShapes.Find(family);
        var second = torch.cuda.device_count() > 1 ? new torch.Device(DeviceType.CUDA, 1) : new torch.Device(DeviceType.CPU);

        ShouldBeClose(Logits(shape, torch.ScalarType.Float32, Gpu, second), Logits(shape, torch.ScalarType.Float32, Gpu), 1e-3);
    }

    [Theory]
    [InlineData("fp32", 0f)]
    [InlineData("fp32", 0.8f)]
    [InlineData("bf16", 0f)]
    public async Task Speculation_ends_every_request_and_in_fp32_changes_no_token(string dataType, float temperature)
    {
        var shape = FamilyShapes.Find("mistral with a window") with { HeadDim = 16 };
        var (target, draft) = (_folder.PathOf("target"), _folder.PathOf("draft"));
        TestModelFolder.Write(target, shape);
        TestModelFolder.Write(draft, shape with { Layers = 2 });
        var requests = EngineUnderTest
            .Prompts(12)
            .Select(prompt =>
                EngineUnderTest.Greedy(prompt, 40) with
                {
                    Sampling = new SamplingParameters
                    {
                        Temperature = temperature,
                        Mode = SamplingMode.Coupled,
                        Seed = 9,
                    },
                }
            )
            .ToList();
        await using var plain = EngineUnderTest.Load(target, draft: null, "autoregressive", change: Configure);
        await using var speculating = EngineUnderTest.Load(target, draft, "dsde", change: Configure);

        var expected = await plain.GenerateAllAsync(requests);
        var actual = await speculating.GenerateAllAsync(requests);

        actual.ShouldAllBe(result => result.TokenIds.Count == 40 || result.FinishReason == FinishReason.Stop);
        foreach (var (result, reference) in actual.Zip(expected).Where(_ => dataType == "fp32"))
        {
            Sameness.ShouldBeSame(result, reference);
        }

        void Configure(EngineOptions options) => (options.Device, options.DataType) = ("cuda", dataType);
    }

    /// <summary>A whole text, then ragged rows of two slots.</summary>
    private List<double[]> Logits(TestModelShape shape, torch.ScalarType type, params torch.Device[] devices)
    {
        using var mode = torch.inference_mode();
        using var decoder = DecoderUnderTest.Load(_folder.Path, shape, type, devices);
        return
        [
            .. decoder.Run((1, 0, Text)),
            .. decoder.Run((2, 0, Text[..9])),
            .. decoder.Run((2, 9, Text[9..12]), (0, 0, Text[..1]), (1, 40, Text[..5])),
            .. decoder.Run((0, 1, Text[1..2]), (2, 12, Text[12..13])),
        ];
    }

    private static void ShouldBeClose(List<double[]> actual, List<double[]> expected, double tolerance) =>
        actual.Zip(expected, (a, b) => a.DistanceTo(b)).Max().ShouldBeLessThan(tolerance);
}
