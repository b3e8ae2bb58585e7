using Dsde.Engine.Models.Operators;
using TorchSharp;
using static Dsde.Engine.Tests.Models.Operators.CpuOpsFixture;

namespace Dsde.Engine.Tests.Models.Operators;

/// <summary>Attention by every kernel that this machine can run against sums in double precision.</summary>
public sealed class AttentionKernelTests
{
    private const int ShapeCount = 200;

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

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Attention_of_random_shapes_is_that_of_double_precision(string kernel, bool isBf16)
    {
        var type = isBf16 ? torch.ScalarType.BFloat16 : torch.ScalarType.Float32;
        using var ops = (IDisposable)Create(type, threads: 2, kernel);

        var (most, mean, meanOfTorch) = Measure((IDecoderOps)ops, type);

        most.ShouldBeLessThan(isBf16 ? 0.04 : 2e-5, kernel);
        mean.ShouldBeLessThan(isBf16 ? 0.75 * meanOfTorch : 1e-6, kernel); // torch rounds scores as well
    }

    /// <summary>
    /// Of results against double precision, the largest error by a case's largest number, and the root mean square of all by that of the
    /// numbers, of torch's operators as well.
    /// </summary>
    private static (double Most, double Mean, double MeanOfTorch) Measure(IDecoderOps ops, torch.ScalarType type)
    {
        var reference = new TorchOps();
        var random = new Random(45);
        double most = 0,
            squares = 0,
            errors = 0,
            errorsOfTorch = 0;
        for (var i = 0; i < ShapeCount; i++)
        {
            using var scope = torch.NewDisposeScope();
            using var attention = new AttentionCase(random, type);
            var byTorch = attention.Run(reference);

            var actual = attention.Run(ops);

            var expected = attention.Expected();
            var scale = Math.Max(0.1, expected.Max(Math.Abs));
            for (var j = 0; j < expected.Length; j++)
            {
                most = Math.Max(most, Math.Abs(actual[j] - expected[j]) / scale);
                errors += Math.Pow(actual[j] - expected[j], 2);
                errorsOfTorch += Math.Pow(byTorch[j] - expected[j], 2);
                squares += Math.Pow(expected[j], 2);
            }

            actual.ShouldAllBe(number => double.IsFinite(number), attention.ToString());
        }

        var result = (most, Math.Sqrt(errors / squares), Math.Sqrt(errorsOfTorch / squares));
        TestContext.Current.TestOutputHelper?.WriteLine($"largest error, root mean square, torch's: {result}");
        return result;
    }
}
