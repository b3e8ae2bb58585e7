using System.Text;
using Dsde.Engine.Benchmarking;

namespace Dsde.Benchmarks.Tests;

public sealed class RooflineTableTests
{
    private static readonly RooflineReport Report = new(
        "target",
        "bf16",
        "cpu",
        2,
        200_000_000,
        20e9,
        [
            new RooflineMeasurement(new RooflineCase(1, 1), 12.5, 14, 15),
            new RooflineMeasurement(new RooflineCase(1, 5), 13, 17.5, null),
            new RooflineMeasurement(new RooflineCase(8, 5), 25, 30, null),
        ]
    )
    {
        Kernels = "avx2 (as asked for)",
        OperationsPerSecond = 400e9,
    };

    [Fact]
    public void A_verification_is_compared_with_decoding_as_many_sequences_where_that_was_measured() =>
        Report.Cases.Select(measurement => RooflineTable.VerifyRatio(Report, measurement)).ShouldBe([null, 1.25, null]);

    [Fact]
    public void The_table_says_how_near_its_floor_a_case_is_be_it_memory_or_arithmetic()
    {
        var text = new StringBuilder();

        RooflineTable.AppendMarkdown(text, Report);

        text.ToString()
            .ShouldContain(
                "plain reads: 20.0 GB/s with 2 threads; the linear layers' 200 MB take 10.00 ms to read; the kernels do 400 "
                    + "GFLOP/s out of the caches; multiplied by avx2 (as asked for)"
            );
        text.ToString().ShouldContain("| 1 × 1 | 12.50 ms | 10.00 ms | 0.80 | 1.00 x | 14.00 ms | 1.12 x | - | 15.00 ms | 1.20 x | 0.67 |");
        text.ToString().ShouldContain("| 1 × 5 | 13.00 ms | 10.00 ms | 0.77 | 1.04 x | 17.50 ms | 1.35 x | 1.25 x | - | - | - |");
        text.ToString().ShouldContain("| 8 × 5 | 25.00 ms | 20.00 ms | 0.80 | 2.00 x | 30.00 ms | 1.20 x | - | - | - | - |");
    }

    [Fact]
    public void Long_contexts_are_compared_with_reading_with_one_row_and_with_linear_layers()
    {
        var report = Report with
        {
            Attention =
            [
                new LongContextMeasurement(new RooflineCase(8, 1), 1500, 295_000_000, 9.5, [1.1, 1.2, 1.0, 1.2, 1.2], []),
                new LongContextMeasurement(new RooflineCase(8, 5), 1500, 295_000_000, 12, [1.5], [1.25]),
            ],
            Prefill = new PrefillMeasurement(8, 1500, 512, [2100, 2300, 1900], [1.25]),
        };

        RooflineTable
            .DescribeLongContexts(report)
            .ShouldBe([
                "attention alone, 8 sequences at 1,500 positions, 1 row each: 9.50 ms, 1.20 x (1.00 to 1.20) of reading its 295 MB",
                "attention alone, 8 sequences at 1,500 positions, 5 rows each: 12.00 ms, 1.50 x of reading its 295 MB, 1.25 x of one "
                    + "row each",
                "prompts, 8 of 1,500 tokens, 512 tokens a pass: 2,100 tokens/s, at best 2,300, 1.25 x of the time of their linear layers",
            ]);
    }
}
