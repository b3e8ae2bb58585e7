using Dsde.Engine.Benchmarking;

namespace Dsde.Engine.Tests.Benchmarking;

public sealed class RooflineTests(TestPair models) : IClassFixture<TestPair>
{
    [Fact]
    public void Measures_every_case_and_counts_the_bytes_of_the_linear_layers()
    {
        var options = new EngineOptions
        {
            Target = models.Target,
            DataType = "fp32",
            Device = "cpu",
            Threads = 1,
        };
        var settings = new RooflineOptions
        {
            Cases = [new(1, 1), new(2, 3)],
            ContextLength = 40,
            Repetitions = 2,
        };

        var report = Roofline.Measure(options, settings, TestContext.Current.CancellationToken);

        var shape = TestPair.TargetShape;
        report.LinearWeightBytes.ShouldBe(
            shape
                .Weights()
                .Where(weight => weight.Shape.Length == 2 && !weight.Name.Contains("embed", StringComparison.Ordinal))
                .Sum(weight => 4L * weight.Shape[0] * weight.Shape[1])
        );
        report.ReadBytesPerSecond.ShouldBeInRange(1e8, 1e13);
        report.OperationsPerSecond.ShouldNotBeNull().ShouldBeInRange(1e8, 1e14);
        report.Cases.Select(measured => measured.Case).ShouldBe(settings.Cases);
        report.Cases.ShouldAllBe(measured => measured.LinearMs > 0 && measured.ForwardMs > 0);
        report.Cases[0].IterationMs.ShouldNotBeNull().ShouldBeGreaterThan(0);
        report.Cases[1].IterationMs.ShouldBeNull();
    }

    [Fact]
    public void A_context_that_the_target_does_not_hold_is_said()
    {
        var options = new EngineOptions
        {
            Target = models.Target,
            Device = "cpu",
            Threads = 1,
        };

        Should
            .Throw<ModelLoadException>(() =>
                Roofline.Measure(options, new RooflineOptions { ContextLength = 127 }, TestContext.Current.CancellationToken)
            )
            .Message.ShouldContain("allows 128 tokens");
    }
}
