using Dsde.Experiments;

namespace Dsde.Benchmarks.Tests.Experiments;

/// <summary>How cells of the paper's experiment are compared.</summary>
public sealed class RatioTests
{
    [Fact]
    public void Latency_is_compared_per_token_over_the_rounds_and_prompts_that_both_have()
    {
        var plain = Cell((0, "a", 100, 10), (1, "a", 120, 10), (0, "only here", 900, 1));
        var faster = Cell((0, "a", 60, 12), (1, "a", 50, 10), (2, "a", 7000, 10));

        // 110 ms for 22 tokens against 220 ms for 20
        Ratio.OfLatency(faster, plain).Value.ShouldBe(5.0 / 11, 1e-12);
        Ratio.OfThroughput(faster, plain).Value.ShouldBe(11.0 / 5, 1e-12);
    }

    [Fact]
    public void An_interval_is_as_wide_as_rounds_and_prompts_lie_apart()
    {
        var plain = Cell([.. Grid(100)]);

        var same = Ratio.OfLatency(Cell([.. Grid(50)]), plain).Interval.ShouldNotBeNull();
        same.Low.ShouldBe(0.5, 1e-12);
        same.High.ShouldBe(0.5, 1e-12);

        var uneven = Ratio.OfLatency(Cell([.. Grid(50, slowRound: 2)]), plain);
        uneven.Value.ShouldBe((0.5 + 0.5 + 1.5) / 3, 1e-12);
        var range = uneven.Interval.ShouldNotBeNull();
        range.Low.ShouldBe(0.5, 1e-12);
        range.High.ShouldBe(1.5, 1e-12);
    }

    [Fact]
    public void Two_rounds_tell_no_interval() =>
        Ratio.OfLatency(Cell((0, "a", 1, 1), (1, "a", 1, 1)), Cell((0, "a", 1, 1), (1, "a", 1, 1))).Interval.ShouldBeNull();

    [Fact]
    public void The_best_static_length_is_the_one_of_least_latency_in_these_cells()
    {
        var cells = Plan.Policies.ToDictionary(policy => policy, policy => Cell([.. Grid(policy == "static:6" ? 40 : 80)]));

        var table = $"{LatencyTables.ByPolicy(cells)}".Split('\n');

        table.ShouldContain(line =>
            line.StartsWith("| static:6 (static-opt) | 0.040 s | 0.50 [0.50, 0.50] | 1 |", StringComparison.Ordinal)
        );
        table.ShouldContain(line =>
            line.StartsWith("| dsde | 0.080 s | 1.00 [1.00, 1.00] | 2.00 [2.00, 2.00] |", StringComparison.Ordinal)
        );
        table.Length.ShouldBe(2 + Plan.Policies.Count);
    }

    private static IEnumerable<(int Round, string Key, double Ms, double Tokens)> Grid(double milliseconds, int slowRound = -1) =>
        from round in Enumerable.Range(0, 3)
        from key in new[] { "a", "b", "c" }
        select (round, key, round == slowRound ? milliseconds + 100 : milliseconds, 10.0);

    private static CellData Cell(params (int Round, string Key, double Ms, double Tokens)[] outputs) =>
        new([.. outputs.Select(output => new OutputFigures(output.Key, output.Round, "w", output.Ms, output.Ms, output.Tokens, 5, 10, 5))]);
}
