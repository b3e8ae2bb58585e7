using Dsde.Analytics.Comparing;
using Dsde.Persistence.Analysis;

namespace Dsde.Analytics.Tests.Comparing;

public sealed class ComparisonTests
{
    [Fact]
    public async Task Prompts_that_both_have_are_compared_one_by_one_and_others_are_left_out()
    {
        // Output i takes i ms per token in the first and half of that in the second: each pair says the same, whatever the spread.
        var comparison = await CompareAsync(
            [.. Enumerable.Range(1, 9).Select(i => Timed(i).Stored(prompt: $"p{i}")), Timed(1000).Stored(prompt: "only here")],
            [.. Enumerable.Range(1, 9).Reverse().Select(i => Timed(i / 2.0).Stored(prompt: $"p{i}"))]
        );

        comparison.Pairs.ShouldBe(9);
        (comparison.First.Outputs, comparison.First.Compared, comparison.Second.Compared).ShouldBe((10, 9, 9));
        var time = Find(comparison, "time per token");
        (time.First, time.Second, time.EffectPercent).ShouldBe((5, 2.5, -50));
        var interval = time.EffectInterval.ShouldNotBeNull();
        (interval.Low, interval.High).ShouldBe((-50, -50));
        time.IsReal.ShouldBe(true);
        time.Sentence.ShouldBe(
            "The time per token of the second is 50.0 % lower (95 %: −50.0 % to −50.0 %): the difference is real, and the second is better."
        );
    }

    [Fact]
    public async Task A_difference_that_pairs_do_not_agree_on_may_be_chance()
    {
        var comparison = await CompareAsync(
            [.. Enumerable.Range(0, 20).Select(i => Timed(10).Stored(prompt: $"p{i}"))],
            [.. Enumerable.Range(0, 20).Select(i => Timed(i % 2 == 0 ? 5 : 15.1).Stored(prompt: $"p{i}"))]
        );

        var time = Find(comparison, "time per token");
        time.EffectPercent.ShouldNotBeNull().ShouldBe(0.5, 1e-9);
        time.IsReal.ShouldBe(false);
        time.Sentence.ShouldEndWith("the difference may be chance.");
    }

    [Fact]
    public async Task Without_prompts_in_common_all_outputs_are_compared_with_all()
    {
        var comparison = await CompareAsync(
            [.. Enumerable.Range(0, 12).Select(i => Timed(10 + (0.1 * i)).Stored(prompt: $"a{i}"))],
            [.. Enumerable.Range(0, 7).Select(i => Timed(20 + (0.1 * i)).Stored(prompt: $"b{i}"))]
        );

        comparison.Pairs.ShouldBe(0);
        (comparison.First.Compared, comparison.Second.Compared).ShouldBe((12, 7));
        Find(comparison, "time per token").IsReal.ShouldBe(true);
    }

    [Fact]
    public async Task Where_prompts_are_not_stored_the_names_of_jobs_pair_them()
    {
        var comparison = await CompareAsync(
            [.. Enumerable.Range(0, 5).Select(i => Timed(10).Stored(name: $"job {i}"))],
            [.. Enumerable.Range(0, 5).Select(i => Timed(10).Stored(name: $"job {i}"))]
        );

        comparison.Pairs.ShouldBe(5);
        Find(comparison, "time per token").Sentence.ShouldBe("The time per token is the same in both.");
    }

    [Fact]
    public async Task A_prompt_that_ran_several_times_is_one_pair()
    {
        StoredTrace[] first = [.. Enumerable.Range(0, 12).Select(i => Timed(i < 6 ? 10 : 30).Stored(prompt: $"p{i % 3}"))];
        StoredTrace[] second = [.. Enumerable.Range(0, 3).Select(i => Timed(20).Stored(prompt: $"p{i}"))];

        var comparison = await CompareAsync(first, second);

        (comparison.Pairs, comparison.First.Compared).ShouldBe((3, 12));
        Find(comparison, "time per token").EffectPercent.ShouldBe(0);
    }

    [Fact]
    public async Task Prompts_that_ran_more_often_on_one_side_weigh_no_more_there()
    {
        // The first five prompts are quick in either; on the second side they ran twice.
        StoredTrace Of(int i) => Timed(i < 5 ? 10 : 30).Stored(prompt: $"p{i}");
        var comparison = await CompareAsync(
            [.. Enumerable.Range(0, 30).Select(Of)],
            [.. Enumerable.Range(0, 30).Concat(Enumerable.Range(0, 5)).Select(Of)]
        );

        (comparison.Pairs, comparison.Second.Compared).ShouldBe((30, 35));
        Find(comparison, "time per token").Sentence.ShouldBe("The time per token is the same in both.");
    }

    [Fact]
    public async Task A_wait_behind_the_first_token_is_no_part_of_the_time_to_it()
    {
        StoredTrace Of(int i) => (Timed(50) with { FirstTokenMs = 100, WaitingMs = 4000 }).Stored(prompt: $"p{i}");
        var comparison = await CompareAsync([.. Enumerable.Range(0, 9).Select(Of)], [.. Enumerable.Range(0, 9).Select(Of)]);

        Find(comparison, "time to the first token").First.ShouldBe(100);
    }

    [Fact]
    public async Task Rates_are_those_of_the_sums_and_not_the_means_of_rates()
    {
        // 2 of 2 and 0 of 8: 20 % of all that was proposed.
        StoredTrace[] first =
        [
            Traces.Trace().WithIterations((2, 2)).Stored(prompt: "a"),
            Traces.Trace().WithIterations((8, 0)).Stored(prompt: "b"),
            Traces.Trace().WithIterations((0, 0)).Stored(prompt: "c"),
        ];

        var comparison = await CompareAsync(first, first);

        Find(comparison, "acceptance").First.ShouldNotBeNull().ShouldBe(20, 1e-9);
        Find(comparison, "block efficiency").First.ShouldNotBeNull().ShouldBe(5 / 3d, 1e-9);
        Find(comparison, "mean KLD").Sentence.ShouldContain("can't be compared");
    }

    [Fact]
    public async Task A_side_without_outputs_is_named()
    {
        var read = () =>
            ComparedSide.ReadAsync("policy=static:9", Traces.Reader(), new TraceFilter(), TestContext.Current.CancellationToken);

        (await read.ShouldThrowAsync<AnalyticsException>()).Message.ShouldContain("'policy=static:9'");
    }

    /// <summary>A hundred tokens at so many ms each.</summary>
    private static Dsde.Persistence.Jobs.JobTrace Timed(double milliseconds) =>
        Traces.Trace(tokens: 100) with
        {
            TotalMs = (100 * milliseconds) + 7,
            WaitingMs = 7,
        };

    private static Difference Find(Comparison comparison, string measure) =>
        comparison.Differences.Single(difference => difference.Measure == measure);

    private static async Task<Comparison> CompareAsync(StoredTrace[] first, StoredTrace[] second) =>
        Comparison.Create(await ReadAsync("first", first), await ReadAsync("second", second));

    private static Task<ComparedSide> ReadAsync(string name, StoredTrace[] traces) =>
        ComparedSide.ReadAsync(name, Traces.Reader(traces), new TraceFilter(), TestContext.Current.CancellationToken);
}
