using Dsde.Engine.Models.Operators;
using TorchSharp;
using static Dsde.Engine.Tests.Models.Operators.CpuOpsFixture;

namespace Dsde.Engine.Tests.Cpu;

/// <summary>Linear layers and norms on the vector units against torch's.</summary>
public sealed class CpuLinearTests
{
    private static readonly TorchOps Torch = new();

    public static TheoryData<int, int, bool, int> Shapes() =>
        new()
        {
            { 64, 128, false, 1 },
            { 64, 128, true, 2 },
            { 48, 7, true, 1 },
            { 33, 130, true, 2 },
            { 100, 66, false, 2 },
            { 31, 3, false, 1 },
            { 1024, 516, true, 2 },
        };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Linear_layers_agree_with_torch(int inputs, int outputs, bool hasBias, int threads)
    {
        foreach (
            var (type, rows) in Types.SelectMany(type => ((int[])[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 40, 43]).Select(rows => (type, rows)))
        )
        {
            using var scope = torch.NewDisposeScope();
            using var ops = (IDisposable)Create(type, threads);
            var cpu = (IDecoderOps)ops;
            var stored = Weight(rows, type, outputs, inputs, hasBias);
            var (weight, expected) = (LoadInto(cpu, stored), LoadInto(Torch, stored));
            var x = Random(5, type, 1, rows, inputs);
            var residual = Random(6, type, 1, rows, outputs);

            ShouldAgree(cpu.Linear(x, weight), Torch.Linear(x, expected));
            ShouldAgree(cpu.LinearAdd(x, weight, residual), Torch.LinearAdd(x, expected, residual));
            ShouldAgree(cpu.Logits(x, weight), Torch.Logits(x, expected), type == torch.ScalarType.BFloat16 ? 0.02 : 1e-5);
        }
    }

    [Theory]
    [InlineData(64, 96, false, 1)]
    [InlineData(40, 70, true, 2)]
    [InlineData(1024, 300, false, 2)]
    public void Gated_layers_agree_with_torch(int inputs, int width, bool hasBias, int threads)
    {
        foreach (var type in Types)
        {
            using var scope = torch.NewDisposeScope();
            using var ops = (IDisposable)Create(type, threads);
            var stored = Weight(3, type, 2 * width, inputs, hasBias, isGated: true);
            var (weight, expected) = (LoadInto((IDecoderOps)ops, stored), LoadInto(Torch, stored));
            foreach (var rows in (int[])[1, 3, 5, 12, 40])
            {
                var x = Random(rows, type, 2, rows, inputs);
                foreach (var activation in Enum.GetValues<GateActivation>())
                {
                    ShouldAgree(((IDecoderOps)ops).GatedLinear(x, weight, activation), Torch.GatedLinear(x, expected, activation));
                }
            }
        }
    }

    [Theory]
    [InlineData(64)]
    [InlineData(37)]
    [InlineData(1024)]
    public void Norms_agree_with_torch(int width)
    {
        foreach (var type in Types)
        {
            using var scope = torch.NewDisposeScope();
            using var ops = (IDisposable)Create(type, 2);
            var x = Random(1, type, 3, 9, width);
            var weight = Random(2, type, 1, width);

            ShouldAgree(((IDecoderOps)ops).RmsNorm(x, weight, 1e-5), Torch.RmsNorm(x, weight, 1e-5));
            // as Gemma's are kept
            ShouldAgree(((IDecoderOps)ops).RmsNorm(x, weight.to(torch.ScalarType.Float32), 1e-5), Torch.RmsNorm(x, weight, 1e-5));
        }
    }

    [Fact]
    public void Rows_that_do_not_lie_in_one_piece_are_read_as_they_are()
    {
        using var scope = torch.NewDisposeScope();
        using var ops = (IDisposable)Create(torch.ScalarType.Float32);
        var stored = Weight(3, torch.ScalarType.Float32, 40, 32, hasBias: false);
        var weight = LoadInto((IDecoderOps)ops, stored);
        var rows = Random(1, torch.ScalarType.Float32, 1, 4, 64).narrow(1, 16, 32);

        ShouldAgree(((IDecoderOps)ops).Linear(rows, weight), Torch.Linear(rows, LoadInto(Torch, stored)));
    }

    [Fact]
    public void Layers_allocate_no_more_than_their_results_wrapper()
    {
        const int BytesOfWrapper = 600; // the tensor object, its shape on the way in and its place in the scope
        using var scope = torch.NewDisposeScope();
        using var ops = (IDisposable)Create(torch.ScalarType.BFloat16);
        var weight = LoadInto((IDecoderOps)ops, Weight(3, torch.ScalarType.BFloat16, 300, 256, hasBias: true));
        var x = Random(1, torch.ScalarType.BFloat16, 1, 5, 256);
        Repeat(200);
        var before = GC.GetAllocatedBytesForCurrentThread();

        Repeat(2000);

        ((GC.GetAllocatedBytesForCurrentThread() - before) / 2000).ShouldBeInRange(0, BytesOfWrapper);

        void Repeat(int count)
        {
            for (var i = 0; i < count; i++)
            {
                ((IDecoderOps)ops).Linear(x, weight).Dispose();
            }
        }
    }
}
