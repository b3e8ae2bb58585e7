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
            LongSequenceCount = 3,
            LongContextLength = 100,
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
        report.Attention.Select(measured => measured.Case).ShouldBe([new(3, 1), new(3, 5)]);
        report.Attention.ShouldAllBe(measured => measured.Positions == 100 && measured.AttentionMs > 0 && measured.ReadRatios.Count == 6);
        report.Attention[0].ByteCount.ShouldBe(2L * shape.Layers * 3 * 100 * shape.KvHeads * shape.HeadDim * sizeof(float));
        report.Attention[0].DecodeRatios.ShouldBeEmpty();
        report.Attention[1].DecodeRatios.Count.ShouldBe(6);
        var prefill = report.Prefill.ShouldNotBeNull();
        (prefill.SequenceCount, prefill.PromptLength, prefill.TokensPerPass).ShouldBe((3, 100, options.PrefillTokenBudget));
        prefill.TokensPerSecond.ShouldHaveSingleItem().ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Long_contexts_are_no_longer_than_the_target_allows()
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
            Cases = [new(1, 1)],
            ContextLength = 40,
            Repetitions = 1,
            MeasuresIterations = false,
        };

        var report = Roofline.Measure(options, settings, TestContext.Current.CancellationToken);

        report.Attention.ShouldAllBe(measured => measured.Positions == 128);
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
