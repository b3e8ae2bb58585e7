using Dsde.Engine;
using Dsde.Pipeline.Tests.Jobs;
using Dsde.Statistics;
using Microsoft.Extensions.Time.Testing;

namespace Dsde.Benchmarks.Tests;

public sealed class PolicyComparisonTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _order = [];
    private readonly StringWriter _progress = new();

    public void Dispose() => _progress.Dispose();

    [Fact]
    public async Task Policies_take_turns_within_every_round_and_no_round_begins_with_the_same_one()
    {
        await MeasureAsync(
            ["autoregressive", "static:2", "dsde"],
            [
                [1, 1, 1],
                [1, 1, 1],
                [1, 1, 1],
            ]
        );

        _order.ShouldBe(["autoregressive", "static:2", "dsde", "static:2", "dsde", "autoregressive", "dsde", "autoregressive", "static:2"]);
    }

    [Fact]
    public async Task Speed_ups_are_medians_of_ratios_within_a_round_so_that_a_busy_round_slows_both_sides()
    {
        // Seconds per policy and round; in the second round everything takes ten times as long.
        var rows = await MeasureAsync(
            ["autoregressive", "static:2", "static:4", "dsde"],
            [
                [8, 80, 8],
                [4, 40, 4],
                [2, 20, 2],
                [1, 10, 1],
            ]
        );

        rows.Select(row => row.SpeedUp!.Value).ShouldBe([1, 2, 4, 8], 1e-9);
        rows.Select(row => row.SpeedUpOverBestStatic!.Value).ShouldBe([0.25, 0.5, 1, 2], 1e-9);
        rows[0].TokensPerSecond.ShouldBe(3.0 / 8, 1e-9);
        rows[0].Spread.ShouldBe(0.9, 1e-9);
    }

    [Fact]
    public async Task Ratios_that_differ_from_round_to_round_come_with_an_interval_and_a_difference_is_real_if_it_leaves_out_1()
    {
        var rows = await MeasureAsync(
            ["autoregressive", "static:2", "static:4", "dsde"],
            [
                [4, 4, 4, 4, 4],
                [2, 2, 2, 2, 2],
                [8, 3, 5, 9, 2],
                [6, 7, 8, 6, 7],
            ]
        );

        rows[0].SpeedUpInterval.ShouldBe(new Interval(1, 1));
        rows[1].SpeedUpInterval.ShouldBe(new Interval(2, 2));
        var unsure = rows[2].SpeedUpInterval.ShouldNotBeNull();
        unsure.Low.ShouldBeLessThan(0.8);
        unsure.High.ShouldBeGreaterThan(1);
        rows[3].SpeedUpInterval.ShouldBe(new Interval(0.5, 4.0 / 6));
        rows[3].SpeedUpOverBestStaticInterval.ShouldBe(new Interval(0.25, 2.0 / 6));
        RealDifferences
            .Describe(rows)
            .ShouldBe([
                "Against autoregressive (95 %): faster static:2; slower dsde; not told apart static:4.",
                "Against static:2 (95 %): faster none; slower autoregressive, dsde; not told apart static:4.",
            ]);
        BenchTable.ToMarkdown(new BenchReport { Command = "", Rows = rows }).ShouldContain("0.57 x (0.50 to 0.67)");
    }

    [Fact]
    public async Task Two_rounds_tell_no_difference()
    {
        var rows = await MeasureAsync(
            ["autoregressive", "dsde"],
            [
                [4, 4],
                [1, 1],
            ]
        );

        (rows[1].SpeedUp, rows[1].SpeedUpInterval).ShouldBe((4, null));
        RealDifferences.Describe(rows).ShouldHaveSingleItem().ShouldBe("Fewer than 3 rounds: which differences are real can't be told.");
    }

    [Fact]
    public async Task A_workload_that_is_over_too_soon_is_repeated_until_the_round_is_long_enough()
    {
        var rows = await MeasureAsync(
            ["autoregressive", "static:2"],
            [
                [10],
                [1, 2, 3, 4],
            ],
            rounds: 1,
            roundSeconds: 9.5
        );

        _order.ShouldBe(["autoregressive", "static:2", "static:2", "static:2", "static:2"]);
        rows[0].TokensPerSecond.ShouldBe(0.3, 1e-9);
        rows[1].TokensPerSecond.ShouldBe(12 / 10.0, 1e-9);
        rows[1].SpeedUp.ShouldNotBeNull().ShouldBe(4, 1e-9);
        rows[1].BlockEfficiency.ShouldBe(2);
    }

    [Fact]
    public async Task Without_a_baseline_there_is_no_speed_up()
    {
        var row = (
            await MeasureAsync(
                ["dsde"],
                [
                    [1, 1, 1],
                ]
            )
        ).ShouldHaveSingleItem();

        (row.SpeedUp, row.SpeedUpOverBestStatic).ShouldBe((null, null));
    }

    [Fact]
    public async Task Shares_latency_and_efficiency_come_of_the_engines_own_times_and_counts()
    {
        var row = (
            await MeasureAsync(
                ["static:2"],
                [
                    [1, 1, 1],
                ]
            )
        ).ShouldHaveSingleItem();

        // The scripted trace: 1 ms waiting, 3 drafting, 4 verifying, 5 in the rest, 15 in all; 1 of 2 accepted, 3 tokens, 1 iteration.
        (row.DraftShare, row.VerifyShare, row.OtherShare).ShouldBe((3.0 / 12, 4.0 / 12, 5.0 / 12));
        (row.P50LatencyMs, row.P95LatencyMs).ShouldBe((14, 14));
        (row.AcceptanceRate, row.BlockEfficiency).ShouldBe((0.5, 2));
    }

    [Fact]
    public async Task Progress_is_told_every_few_seconds_with_an_estimate_of_the_rest()
    {
        await MeasureAsync(
            ["autoregressive", "static:2"],
            [
                [4, 4, 4],
                [4, 4, 4],
            ]
        );

        var lines = _progress.ToString().Trim().Split('\n');
        lines[0].ShouldBe("run 1 of 6: batch 4, temperature 0.5, tales, autoregressive");
        lines[1].ShouldBe("run 3 of 6, about 16 s left: batch 4, temperature 0.5, tales, static:2");
        lines.Length.ShouldBe(3);
    }

    private async Task<IReadOnlyList<BenchRow>> MeasureAsync(
        string[] policies,
        double[][] seconds,
        int? rounds = null,
        double roundSeconds = 0
    )
    {
        var roundCount = rounds ?? seconds[0].Length;
        var next = policies.Zip(seconds).ToDictionary(pair => pair.First, pair => new Queue<double>(pair.Second));
        await using var engine = new ScriptedEngine(
            (request, _) =>
            {
                request.Sampling.Temperature.ShouldBe(0.5f);
                var policy = request.Policy!.ToString();
                _order.Add(policy);
                _time.Advance(TimeSpan.FromSeconds(next[policy].Dequeue()));
                return Task.FromResult(ScriptedEngine.Result(request));
            }
        );
        var settings = new BenchSettings
        {
            Policies = [.. policies.Select(ComparedPolicy.Parse)],
            BatchSizes = [4],
            Temperatures = [0.5],
            Rounds = roundCount,
            RoundSeconds = roundSeconds,
        };
        var workload = new BenchWorkload("tales", [new GenerationRequest { PromptTokenIds = [1], MaxTokens = 3 }]);
        var comparison = new PolicyComparison(
            engine,
            _time,
            settings,
            new BenchProgress(_progress, _time, policies.Length * roundCount, policies.Length * roundCount)
        );
        return await comparison.MeasureAsync(workload, 0.5, TestContext.Current.CancellationToken);
    }
}
