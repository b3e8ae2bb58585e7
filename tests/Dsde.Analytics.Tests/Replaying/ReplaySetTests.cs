using Dsde.Analytics.Replaying;
using Dsde.Persistence.Analysis;
using Dsde.Speculation;

namespace Dsde.Analytics.Tests.Replaying;

/// <summary>What stored traces tell of times, and what is refused.</summary>
public sealed class ReplaySetTests
{
    private static readonly StoredTrace[] Several =
    [
        // A pass takes 1 ms per row and a draft step 0.1 ms: outputs one after the other, 5 ms of something else between them.
        Traces.Trace().WithIterations((2, 2), (2, 0), (1, 1)).Stored("one", endedAtMs: 100),
        Traces.Trace().WithIterations((2, 1), (2, 2), (2, 2), (0, 0)).Stored("two", endedAtMs: 200),
    ];

    [Fact]
    public async Task The_policy_that_ran_is_predicted_to_take_as_long_as_it_did()
    {
        var set = await ReadAsync(Several);

        var result = new Replay(set.Sources, 10).Run(PolicyConfiguration.Parse("static:2"));

        var measured = set.Measured.ShouldNotBeNull();
        measured.Milliseconds.ShouldNotBeNull().ShouldBe(8.5 + 10.6, 1e-6);
        result.Counts.Milliseconds.ShouldNotBeNull().ShouldBe(19.1, 1e-6);
        result.Counts.Iterations.ShouldBe(measured.Iterations);
    }

    [Fact]
    public async Task Outputs_with_forced_tokens_are_left_out_and_that_is_said()
    {
        var forced = Traces.Trace().WithIterations((2, 2), (0, 0)) with { CompletionTokens = 8, Forced = 3, IterationForced = [0, 3] };

        var set = await ReadAsync([.. Several, forced.Stored("three", endedAtMs: 300)]);

        set.Sources.Sum(source => source.Outputs.Count).ShouldBe(2);
        set.LeftOut.ShouldHaveSingleItem().ShouldStartWith("1 outputs have tokens that their format forced");
    }

    [Fact]
    public async Task Times_of_other_policies_follow_from_what_the_traces_own_iterations_took()
    {
        var set = await ReadAsync(Several);

        // 17 tokens, 2 of them from prompts: 15 passes of one row.
        var plain = new Replay(set.Sources, 10).Run(PolicyConfiguration.Autoregressive);

        plain.Counts.Milliseconds.ShouldNotBeNull().ShouldBe(15, 0.05);
    }

    [Fact]
    public async Task The_oracle_is_at_least_as_fast_as_any_policy_and_proposes_nothing_that_is_not_kept()
    {
        var set = await ReadAsync(Several);
        var replay = new Replay(set.Sources, 10);

        var oracle = replay.RunOracle().Counts;

        oracle.Accepted.ShouldBe(oracle.Proposed);
        foreach (var policy in (string[])["autoregressive", "static:1", "static:2", "static:5"])
        {
            oracle.Milliseconds.ShouldNotBeNull();
            oracle.Milliseconds.Value.ShouldBeLessThanOrEqualTo(
                replay.Run(PolicyConfiguration.Parse(policy)).Counts.Milliseconds.ShouldNotBeNull() + 1e-9,
                policy
            );
        }
    }

    [Fact]
    public void The_oracle_knows_where_an_output_ends()
    {
        var oracle = HandMade.Replay(1, HandMade.Output("11111", limit: 100)).RunOracle().Counts;

        (oracle.Iterations, oracle.Proposed, oracle.Accepted).ShouldBe((1, 3, 3), "the last token comes with them");
    }

    [Fact]
    public async Task Given_costs_take_the_place_of_what_the_traces_tell_at_the_pace_of_the_traces()
    {
        PassCost[] flat = [new(1, 3), new(10, 3)];
        PassCost[] free = [new(1, 0)];
        var set = await ReadAsync(Several, new ReplaySettings { Costs = new EngineCosts(flat, free, free, free) });

        // Seven passes at one price took 19.1 ms.
        var result = new Replay(set.Sources, 10).Run(PolicyConfiguration.Autoregressive);

        result.Counts.Milliseconds.ShouldNotBeNull().ShouldBe(15 * 19.1 / 7, 1e-6);
        set.Sources[0].Costs.ShouldNotBeNull().Source.ShouldContain("profile");
    }

    [Fact]
    public async Task A_guarded_policy_needs_prices()
    {
        var set = await ReadAsync([Traces.Trace("static:2").WithIterations((2, 2), (2, 2)).Stored()]);

        var run = () => new Replay(set.Sources, 10).Run(PolicyConfiguration.Parse("goodput"));

        run.ShouldThrow<AnalyticsException>().Message.ShouldContain("equally many rows");
        new Replay(set.Sources, 10).Run(PolicyConfiguration.Parse("static:4")).Counts.Milliseconds.ShouldBeNull();
    }

    [Fact]
    public async Task Traces_of_several_policies_are_refused_by_their_names()
    {
        var read = () => ReadAsync([Traces.Trace("static:2").Stored(), Traces.Trace("adaedl").Stored()]);

        (await read.ShouldThrowAsync<AnalyticsException>()).Message.ShouldContain("adaedl: 1, static:2: 1");
    }

    [Fact]
    public async Task Outputs_that_never_met_the_draft_or_have_no_series_are_left_out_and_counted()
    {
        StoredTrace[] traces =
        [
            .. Several,
            (Traces.Trace() with { Iterations = 3, PrefillShareMs = 100, VerifyShareMs = 100 }).Stored("summary only"),
            (Traces.Trace().WithIterations((0, 0), (0, 0)) with { PrefillShareMs = 100 }).Stored("plain"),
            (Traces.Trace().WithIterations((2, 2), (2, 0)) with { PrefillShareMs = 100, TokenDraftMatch = null }).Stored("iterations only"),
        ];

        var set = await ReadAsync(traces);

        set.Sources.ShouldHaveSingleItem().Outputs.Select(output => output.Name).ShouldBe(["one", "two"]);
        set.LeftOut.Count.ShouldBe(2);
        var measured = set.Measured.ShouldNotBeNull();
        measured.Milliseconds.ShouldNotBeNull().ShouldBe(8.5 + 10.6, 1e-6, "what is left out is no part of what is compared with");
        measured.Iterations.ShouldBe(3 + 4);
        var again = new Replay(set.Sources, 10).Run(PolicyConfiguration.Parse("static:2"));
        again.Counts.Milliseconds.ShouldNotBeNull().ShouldBe(19.1, 1e-6);
        var none = () => ReadAsync(traces[2..]);
        (await none.ShouldThrowAsync<AnalyticsException>()).Message.ShouldContain("None of the outputs can be replayed");
        var nothing = () => ReadAsync([]);
        (await nothing.ShouldThrowAsync<AnalyticsException>()).Message.ShouldContain("No output of a completed job");
    }

    [Fact]
    public async Task A_trace_whose_numbers_do_not_go_together_is_named()
    {
        var broken = Traces.Trace().WithIterations((2, 2), (2, 2)) with { CompletionTokens = 9 };
        var read = () => ReadAsync([broken.Stored("odd")]);

        (await read.ShouldThrowAsync<AnalyticsException>()).Message.ShouldBe(
            "The trace of odd has iterations for 7 tokens, but the output has 9."
        );
    }

    private static Task<ReplaySet> ReadAsync(StoredTrace[] traces, ReplaySettings? settings = null) =>
        ReplaySet.ReadAsync(
            Traces.Reader(traces),
            new TraceFilter(),
            settings ?? new ReplaySettings(),
            TestContext.Current.CancellationToken
        );
}
