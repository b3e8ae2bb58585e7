using Dsde.Analytics.Positions;
using Dsde.Analytics.Replaying;
using Dsde.Speculation;

namespace Dsde.Analytics.Tests.Replaying;

/// <summary>Replays that can be followed with a pencil. The first token of an output is the prompt pass's.</summary>
public sealed class ReplayByHandTests
{
    [Fact]
    public void A_fixed_length_takes_what_is_right_and_a_token_of_the_target_until_the_limit_leaves_room_for_none() =>
        HandMade.Replay(1, HandMade.Output("1110111101")).Iterations("static:2").ShouldBe([(1, 2, 2), (4, 2, 2), (7, 2, 1), (9, 0, 0)]);

    [Fact]
    public void An_output_that_stops_by_itself_is_proposed_for_beyond_its_end()
    {
        // Five tokens of at most a hundred: the proposals behind the fifth are made all the same, and none of them is kept.
        var result = HandMade.Replay(1, HandMade.Output("11111", limit: 100)).Run(PolicyConfiguration.Parse("static:6"));

        result.Counts.Proposed.ShouldBe(6);
        result.Counts.Accepted.ShouldBe(4);
        result.Counts.Tokens.ShouldBe(5);
        result.ExactOutputs.ShouldBe(1, "what is behind the end is nobody's concern");
    }

    [Fact]
    public void Plain_decoding_takes_an_iteration_for_each_token_but_the_first()
    {
        var result = HandMade.Replay(1, HandMade.Output("????")).Run(PolicyConfiguration.Autoregressive);

        (result.Counts.Iterations, result.Counts.Proposed, result.Counts.BlockEfficiency).ShouldBe((3, 0, 1));
        result.UnknownPositions.ShouldBeEmpty("nobody asked");
        result.ExactOutputs.ShouldBe(1);
    }

    [Fact]
    public void An_output_of_one_token_has_no_iteration()
    {
        var result = HandMade.Replay(2, HandMade.Output("1"), HandMade.Output("111")).Run(PolicyConfiguration.Parse("static:4"));

        (result.Counts.Outputs, result.Counts.Tokens, result.Counts.Iterations).ShouldBe((2, 4, 1));
    }

    [Fact]
    public void Positions_that_nobody_knows_are_named_and_cost_the_output_its_exactness()
    {
        var result = HandMade
            .Replay(1, HandMade.Output("111?1111", name: "one"), HandMade.Output("11111111", name: "two"))
            .Run(PolicyConfiguration.Parse("static:4"));

        result.UnknownPositions.ShouldBe([new UnknownPosition("one", 3)]);
        result.ExactOutputs.ShouldBe(1);
        result.Reservations.ShouldHaveSingleItem().ShouldContain("not known whether the draft is right");
    }

    [Fact]
    public void A_policy_that_stops_by_entropy_stops_where_the_entropy_says_so()
    {
        var output = HandMade.Output("11111111111111111111");
        for (var position = 1; position < output.Count; position++)
        {
            output.SetSignals(position, new PositionSignals(0, 1, position == 4 ? 9 : 0)); // 1 − √(0.1 · 9) is far below λ
        }

        // The fourth is doubted, and proposed all the same.
        HandMade.Replay(1, output).Iterations("adaedl")[..2].ShouldBe([(1, 4, 4), (6, 7, 7)]);
    }

    [Fact]
    public void Signals_that_were_never_measured_are_counted()
    {
        var result = HandMade.Replay(1, HandMade.Output("111111")).Run(PolicyConfiguration.Parse("adaedl"));

        result.UnknownSignals.ShouldBe(3, "after each of four proposals but the last, behind which there is no room");
        result.ExactOutputs.ShouldBe(0);
    }

    [Fact]
    public void The_papers_rule_depends_on_what_stands_behind_a_mistake()
    {
        // Eight proposals for calibration, always: one right, the second wrong, six behind it. 30 proposals are four steps.
        var output = HandMade.Output("1" + string.Concat(Enumerable.Repeat("10", 20)), limit: 100);
        for (var position = 1; position < output.Count; position++)
        {
            output.SetSignals(position, new PositionSignals(0.1f, 0.9f, 0.1f));
            if (output.ChanceAt(position) == 0)
            {
                output.SetBehind(position, [.. Enumerable.Repeat(new PositionSignals(1f, 0.1f, 3f), 6)]);
            }
        }

        var replay = HandMade.Replay(1, output);
        replay.Iterations("dsde-paper")[..4].ShouldBe([(1, 8, 1), (3, 8, 1), (5, 8, 1), (7, 8, 1)]);

        // SL_max = 1 · (1 + 0.775 / 1) = 2 at most, so that everything from then on is SL_min.
        replay.Iterations("dsde-paper")[4..].ShouldAllBe(iteration => iteration.Item2 == 2);
        replay.Run(PolicyConfiguration.Parse("dsde-paper")).ExactOutputs.ShouldBe(1);

        // The same without the far side of mistakes.
        var shallow = HandMade.Output("1" + string.Concat(Enumerable.Repeat("10", 20)), limit: 100);
        for (var position = 1; position < shallow.Count; position++)
        {
            shallow.SetSignals(position, new PositionSignals(0.1f, 0.9f, 0.1f));
        }

        HandMade.Replay(1, shallow).Run(PolicyConfiguration.Parse("dsde-paper")).UnknownSignals.ShouldBe(4 * 6);
        HandMade.Replay(1, shallow).Run(PolicyConfiguration.Parse("dsde-paper-onpath")).ExactOutputs.ShouldBe(1);
    }

    [Fact]
    public void Who_ends_makes_room_for_the_next_in_line()
    {
        var replay = HandMade.Replay(2, HandMade.Output("11"), HandMade.Output("11111"), HandMade.Output("111"));

        // One iteration of the first; the second needs four, and the third takes part in two of them.
        var counts = replay.Run(PolicyConfiguration.Autoregressive).Counts;
        (counts.Tokens, counts.Iterations).ShouldBe((10, 7));
    }

    [Fact]
    public void Where_acceptance_is_by_chance_the_counts_are_those_to_be_expected()
    {
        var outputs = Enumerable
            .Range(0, 200)
            .Select(_ =>
            {
                var output = new PositionTrace(11) { Name = "a", IsByChance = true };
                for (var position = 1; position < output.Count; position++)
                {
                    output.SetChance(position, 0.5f);
                }

                return output;
            })
            .ToArray();

        var result = HandMade.Replay(1, outputs).Run(PolicyConfiguration.Parse("static:1"));

        result.Counts.AcceptanceRate.ShouldNotBeNull().ShouldBe(0.5, 0.02);
        result.ExactOutputs.ShouldBe(0);
        result.Reservations.ShouldHaveSingleItem().ShouldContain("expectation");
    }
}
