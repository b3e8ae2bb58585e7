using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Kv;
using Dsde.Engine.Models.Operators;
using Dsde.Engine.Models.Operators.Cpu;
using Dsde.Engine.Models.Passes;
using Dsde.Engine.Torch;
using TorchSharp;

namespace Dsde.Engine.Tests.Models.Operators;

/// <summary>Random operands, and both operator sets.</summary>
internal static class CpuOpsFixture
{
    public static readonly torch.ScalarType[] Types = [torch.ScalarType.Float32, torch.ScalarType.BFloat16];

    public static IDecoderOps Create(torch.ScalarType type, int threads = 1, bool isDeterministic = true) =>
        type == torch.ScalarType.BFloat16
            ? new CpuOps<ushort, Bf16Element>(threads, isDeterministic)
            : new CpuOps<float, Fp32Element>(threads, isDeterministic);

    public static torch.Tensor Random(int seed, torch.ScalarType type, double scale, params long[] shape)
    {
        using var generator = new torch.Generator((ulong)seed);
        return torch.randn(shape, generator: generator).mul_(Scalars.Of(scale)).to(type);
    }

    public static LinearWeight Weight(int seed, torch.ScalarType type, long outputs, long inputs, bool hasBias) =>
        new(Random(seed, type, 1 / Math.Sqrt(inputs), outputs, inputs), hasBias ? Random(seed + 1, type, 0.5, outputs) : null);

    /// <summary>A pass over spans, on the host's side and on torch's.</summary>
    public static PassRows Rows(KvCache cache, params RowSpan[] spans)
    {
        var layout = new PassLayout(cache);
        var stage = new IndexStage();
        foreach (var (slot, first, count) in spans)
        {
            layout.Add(slot, first, count);
        }

        layout.Stage(stage, []);
        var tokens = stage.Add(new long[layout.RowCount]);
        stage.Upload(torch.CPU);
        return layout.Bind(stage, stage.Slice(tokens));
    }

    /// <summary>fp32: 1e-5 of the largest value; bf16: what rounding two or three times in another order makes.</summary>
    public static void ShouldAgree(torch.Tensor actual, torch.Tensor expected)
    {
        actual.shape.ShouldBe(expected.shape);
        actual.dtype.ShouldBe(expected.dtype);
        var tolerance = expected.dtype == torch.ScalarType.BFloat16 ? 0.02 : 1e-5;
        ShouldAgree(actual, expected, tolerance);
    }

    public static void ShouldAgree(torch.Tensor actual, torch.Tensor expected, double tolerance)
    {
        using var scope = torch.NewDisposeScope();
        var wide = expected.to(torch.ScalarType.Float64);
        var scale = Math.Max(1e-3, wide.abs().max().item<double>());
        (actual.to(torch.ScalarType.Float64) - wide).abs().max().item<double>().ShouldBeLessThan(tolerance * scale);
    }

    public static void ShouldBeSame(torch.Tensor actual, torch.Tensor expected)
    {
        actual.contiguous().bytes.ToArray().ShouldBe(expected.contiguous().bytes.ToArray());
    }
}
