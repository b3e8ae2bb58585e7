using Dsde.Engine.Cpu.Kernels.Linear;
using Dsde.Engine.Models.Operators;
using TorchSharp;
using static Dsde.Engine.Tests.Models.Operators.CpuOpsFixture;

namespace Dsde.Engine.Tests.Cpu;

/// <summary>Every kernel that this machine can run against sums in double precision, and every row against itself alone.</summary>
public sealed class LinearKernelTests
{
    private const int ShapeCount = 300;

    /// <summary>Kernels and types.</summary>
    public static TheoryData<string, bool> Kernels()
    {
        var data = new TheoryData<string, bool>();
        foreach (var type in Types)
        {
            foreach (var name in KernelNames(type))
            {
                data.Add(name, type == torch.ScalarType.BFloat16);
            }
        }

        return data;
    }

    [Fact]
    public void This_machines_own_kernels_are_among_those_that_are_tested()
    {
        var features = CpuFeatures.Present;
        string?[] expected =
        [
            features.HasAvx512Bf16 ? "avx512-bf16" : null,
            features.HasAvx512 ? "avx512" : null,
            features.HasAvx2 ? "avx2" : null,
            "portable",
        ];

        KernelNames(torch.ScalarType.BFloat16).ShouldBe(expected.OfType<string>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Products_of_random_shapes_are_those_of_double_precision(bool isBf16)
    {
        var random = new Random(41);
        for (var i = 0; i < ShapeCount; i++)
        {
            ShouldAgree(LinearCase.Create(random, isBf16, maxRows: 100), isBf16);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Subnormal_numbers_count_as_themselves_or_as_nothing(bool isBf16)
    {
        var random = new Random(42);
        for (var i = 0; i < 20; i++)
        {
            var layer = LinearCase.Create(random, isBf16, maxRows: 20);
            layer.Spread(random, value: isBf16 ? 1e-39f : 3e-42f, share: 0.3);
            ShouldAgree(layer, isBf16);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Infinities_and_NaN_reach_the_outputs_they_belong_to_and_no_others(bool isBf16)
    {
        var random = new Random(43);
        foreach (var value in (float[])[float.PositiveInfinity, float.NegativeInfinity, float.NaN])
        {
            for (var i = 0; i < 10; i++)
            {
                var layer = LinearCase.Create(random, isBf16, maxRows: 40);
                layer.PutOneInto(random, value);
                ShouldAgree(layer, isBf16);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void A_row_has_the_same_bits_beside_any_rows(string kernel, bool isBf16)
    {
        using var scope = torch.NewDisposeScope();
        var type = isBf16 ? torch.ScalarType.BFloat16 : torch.ScalarType.Float32;
        using var ops = (IDisposable)Create(type, 2, kernel);
        var cpu = (IDecoderOps)ops;
        var weight = LoadInto(cpu, Weight(3, type, 333, 479, hasBias: true));
        var gated = LoadInto(cpu, Weight(3, type, 2 * 333, 479, hasBias: true, isGated: true));
        var long_ = LoadInto(cpu, Weight(3, type, 40, 9001, hasBias: false));
        var x = Random(1, type, 1, 300, 479);
        var longX = Random(1, type, 1, 300, 9001);
        torch.Tensor alone = Alone(row => cpu.Logits(x.narrow(0, row, 1), weight)),
            aloneGated = Alone(row => cpu.GatedLinear(x.narrow(0, row, 1), gated, GateActivation.Silu)),
            aloneLong = Alone(row => cpu.Logits(longX.narrow(0, row, 1), long_));
        foreach (var count in Enumerable.Range(2, 105).Append(128).Append(130).Append(300))
        {
            var first = count % 7 * (300 - count) / 7;
            ShouldBeSame(cpu.Logits(x.narrow(0, first, count), weight), alone.narrow(0, first, count));
            ShouldBeSame(cpu.GatedLinear(x.narrow(0, first, count), gated, GateActivation.Silu), aloneGated.narrow(0, first, count));
            ShouldBeSame(cpu.Logits(longX.narrow(0, first, count), long_), aloneLong.narrow(0, first, count));
        }

        static torch.Tensor Alone(Func<int, torch.Tensor> compute) => torch.cat([.. Enumerable.Range(0, 300).Select(compute)]);
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void A_row_has_the_same_bits_in_every_tile(string kernel, bool isBf16)
    {
        const int RowCount = 29;
        var chosen = KernelChooser.Present.Choose(kernel, isBf16).Kernel.ShouldNotBeNull();
        var layer = LinearCase.Create(new Random(44), isBf16, RowCount, inputs: 203, outputs: 77);
        var expected = layer.Run(chosen, new TilePlan(1, 1, 1));
        var tiles = 0;
        for (var rows = 1; rows <= RowCount; rows++)
        {
            for (var blocks = 1; blocks <= 4; blocks++)
            {
                if (chosen.Form.Fits(new TileShape(rows, blocks)))
                {
                    tiles++;
                    layer.Run(chosen, new TilePlan(rows, blocks, blocks)).ShouldBe(expected, $"{rows} rows, {blocks} blocks");
                }
            }
        }

        tiles.ShouldBeGreaterThanOrEqualTo(6);
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Every_tile_that_a_table_names_fits_into_the_registers(string kernel, bool isBf16)
    {
        var chosen = KernelChooser.Present.Choose(kernel, isBf16).Kernel.ShouldNotBeNull();
        for (var rows = 1; rows <= 200; rows++)
        {
            var plan = chosen.Tiles.Find(rows);
            var height = Enumerable.Range(0, plan.CountTiles(rows)).Max(tile => plan.FirstRow(tile + 1, rows) - plan.FirstRow(tile, rows));

            chosen.Form.Fits(new TileShape(height, plan.Blocks)).ShouldBeTrue($"{rows} rows: {plan}");
            plan.FirstRow(plan.CountTiles(rows), rows).ShouldBe(rows);
        }
    }

    private static void ShouldAgree(LinearCase layer, bool isBf16)
    {
        var expected = layer.Expected();
        foreach (var (index, kernel) in KernelNames(isBf16 ? torch.ScalarType.BFloat16 : torch.ScalarType.Float32).Index())
        {
            layer.ShouldAgree(layer.Run(kernel, threads: 1 + (index % 2)), expected, kernel);
        }
    }
}
