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
            using var weight = Weight(rows, type, outputs, inputs, hasBias);
            var x = Random(5, type, 1, rows, inputs);
            var residual = Random(6, type, 1, rows, outputs);
            var cpu = (IDecoderOps)ops;

            ShouldAgree(cpu.Linear(x, weight), Torch.Linear(x, weight));
            ShouldAgree(cpu.LinearAdd(x, weight, residual), Torch.LinearAdd(x, weight, residual));
            ShouldAgree(cpu.Logits(x, weight), Torch.Logits(x, weight), type == torch.ScalarType.BFloat16 ? 0.02 : 1e-5);
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
            using var weight = Weight(3, type, 2 * width, inputs, hasBias);
            foreach (var rows in (int[])[1, 3, 5, 12, 40])
            {
                var x = Random(rows, type, 2, rows, inputs);
                foreach (var activation in Enum.GetValues<GateActivation>())
                {
                    ShouldAgree(((IDecoderOps)ops).GatedLinear(x, weight, activation), Torch.GatedLinear(x, weight, activation));
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
        using var weight = Weight(3, torch.ScalarType.Float32, 40, 32, hasBias: false);
        var wide = Random(1, torch.ScalarType.Float32, 1, 4, 64);

        ShouldAgree(((IDecoderOps)ops).Linear(wide.narrow(1, 16, 32), weight), Torch.Linear(wide.narrow(1, 16, 32), weight));
    }

    [Fact]
    public void Many_rows_go_to_torch_unless_results_must_not_depend_on_the_batch()
    {
        using var scope = torch.NewDisposeScope();
        using var fast = (IDisposable)Create(torch.ScalarType.Float32, isDeterministic: false);
        using var weight = Weight(3, torch.ScalarType.Float32, 200, 96, hasBias: true);
        var x = Random(1, torch.ScalarType.Float32, 1, 300, 96);

        ShouldBeSame(((IDecoderOps)fast).Linear(x, weight), Torch.Linear(x, weight));
    }

    [Fact]
    public void A_row_gives_the_same_bits_whatever_rows_are_beside_it()
    {
        foreach (var type in Types)
        {
            using var scope = torch.NewDisposeScope();
            using var one = (IDisposable)Create(type, 1);
            using var two = (IDisposable)Create(type, 2);
            using var weight = Weight(3, type, 700, 480, hasBias: true);
            var x = Random(1, type, 1, 90, 480);
            var whole = ((IDecoderOps)one).Linear(x, weight);
            for (var (first, count) = (0, 1); first < 90; first += count, count = (count % 13) + 1)
            {
                var rows = Math.Min(count, 90 - first);
                ShouldBeSame(((IDecoderOps)two).Linear(x.narrow(0, first, rows), weight), whole.narrow(0, first, rows));
            }
        }
    }

    [Fact]
    public void Layers_allocate_no_more_than_their_results_wrapper()
    {
        const int BytesOfWrapper = 600; // the tensor object, its shape on the way in and its place in the scope
        using var scope = torch.NewDisposeScope();
        using var ops = (IDisposable)Create(torch.ScalarType.BFloat16);
        using var weight = Weight(3, torch.ScalarType.BFloat16, 300, 256, hasBias: true);
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
