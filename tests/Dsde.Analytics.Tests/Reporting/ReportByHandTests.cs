using Dsde.Analytics.Reporting;
using Dsde.Persistence.Analysis;

namespace Dsde.Analytics.Tests.Reporting;

/// <summary>What a report says of traces that can be reckoned by hand.</summary>
public sealed class ReportByHandTests
{
    [Fact]
    public void Every_token_is_told_where_it_came_from()
    {
        var trace = HandMadeTrace.Of([2, 0, 3], [1, 0, 3], [0.1f, 0.2f, 0.3f, 0.4f, 0.5f], [1, 0.9f, 0.8f, 0.7f, 0.6f]);

        TokenWalk
            .Of(trace)
            .ShouldBe([
                new(null, TokenOrigin.Prompt, null, null),
                new(0, TokenOrigin.Accepted, 0.1f, 1),
                new(0, TokenOrigin.Corrected, 0.2f, 0.9f),
                new(1, TokenOrigin.Bonus, null, null),
                new(2, TokenOrigin.Accepted, 0.3f, 0.8f),
                new(2, TokenOrigin.Accepted, 0.4f, 0.7f),
                new(2, TokenOrigin.Accepted, 0.5f, 0.6f),
                new(2, TokenOrigin.Bonus, null, null),
            ]);
    }

    [Fact]
    public void Forced_tokens_come_before_those_that_were_proposed_and_are_told_apart()
    {
        var trace = HandMadeTrace.Of([2, 0], [1, 0], [0.1f, 0.2f], [1, 0.9f], tokens: 7) with { Forced = 3, IterationForced = [2, 1] };

        TokenWalk
            .Of(trace)
            .ShouldBe([
                new(null, TokenOrigin.Prompt, null, null),
                new(0, TokenOrigin.Forced, null, null),
                new(0, TokenOrigin.Forced, null, null),
                new(0, TokenOrigin.Accepted, 0.1f, 1),
                new(0, TokenOrigin.Corrected, 0.2f, 0.9f),
                new(1, TokenOrigin.Forced, null, null),
                new(1, TokenOrigin.Bonus, null, null),
            ]);
        var group = Figures.Sum([HandMadeTrace.Summary(trace)], isAll: false);
        (group.Proposed, group.Accepted, group.Forced).ShouldBe((2, 1, 3));
    }

    [Fact]
    public void Tokens_that_were_cut_off_at_the_end_are_not_told() => TokenWalk.Of(HandMadeTrace.Of([4], [4], tokens: 3)).Count.ShouldBe(3);

    [Fact]
    public void Figures_of_a_group_are_those_of_its_tokens_and_not_means_of_means()
    {
        var group = Figures.Sum(
            [
                HandMadeTrace.Summary(HandMadeTrace.Of([4, 4], [4, 2], new float[8])),
                HandMadeTrace.Summary(HandMadeTrace.Of([2, 0], [0, 0], [1, 1]), endToEndMs: 90),
            ],
            isAll: false
        );

        group.CompletionTokens.ShouldBe(9 + 3);
        group.AcceptanceRate.ShouldBe(6.0 / 10);
        group.BlockEfficiency.ShouldBe((8 + 2) / 4.0);
        group.MeanLength.ShouldBe(10 / 3.0);
        group.MeanKld.ShouldBe(0.2);
        group.MachineSeconds.ShouldBe(0.020);
        group.TokensPerMachineSecond.ShouldBe(600);
        group.MedianSeconds.ShouldBe(0.05);
        group.P95Seconds.ShouldBe(0.09);
    }

    [Fact]
    public void The_parts_of_the_time_add_up_to_the_whole()
    {
        var parts = Figures.Latency([
            HandMadeTrace.Summary(HandMadeTrace.Of([1], [1])),
            HandMadeTrace.Summary(HandMadeTrace.Of([1], [0]), queueMs: 0, endToEndMs: 28),
            HandMadeTrace.Summary(HandMadeTrace.Of([1], [0]), queueMs: 900, endToEndMs: 20), // clocks that disagree
        ]);

        parts.SkipLast(1).Sum(part => part.MeanMs).ShouldBe(parts[^1].MeanMs, 1e-9);
        parts[^1].MeanMs.ShouldBe((50 + 28 + 28) / 3.0, 1e-9);
        parts.ShouldAllBe(part => part.MeanMs >= 0);
        parts[0].MeanMs.ShouldBe(10 / 3.0, 1e-9);
    }

    [Fact]
    public void Iterations_are_counted_by_their_length_and_followed_along_the_generation()
    {
        var steps = new StepFigures();
        steps.Add(HandMadeTrace.Stored(HandMadeTrace.Of([2, 0, 2], [1, 0, 2], [0.1f, 0.3f, 0.5f, 0.7f])));
        steps.Add(HandMadeTrace.Stored(HandMadeTrace.Of([4], [0], [1, 1, 1, 1])));

        steps.Lengths.ShouldBe([new(0, 1, 0), new(2, 2, 3), new(4, 1, 0)]);
        steps.Course.Select(point => (point.Iteration, point.Outputs, point.Length)).ShouldBe([(0, 2, 3), (1, 1, 0), (2, 1, 2)]);
        steps.Course[0].Kld!.Value.ShouldBe((0.2 + 1) / 2, 1e-6);
        steps.Course[1].Kld.ShouldBeNull();
    }

    [Fact]
    public void What_stands_for_a_WVIR_that_was_not_measured_is_in_no_curve_and_no_correlation()
    {
        var trace = HandMadeTrace.Of([1, 1, 1], [1, 1, 1], [0.1f, 0.2f, 0.3f]) with
        {
            IterationWvir = [0, 20, 1.5f],
            IterationScaleFactor = [0.5f, 0.5f, 0.5f],
        };
        var steps = new StepFigures();
        steps.Add(HandMadeTrace.Stored(trace));

        steps.Course.Select(point => point.Wvir).ShouldBe([null, null, 1.5]);
        steps.Signals.Steps.Select(step => (step.Wvir, step.ScaledWvir)).ShouldBe([(null, null), (null, null), (1.5, 0.75)]);
    }

    [Fact]
    public void A_prompt_counts_once_for_all_its_outputs_and_KLD_by_what_was_proposed()
    {
        var few = HandMadeTrace.Summary(HandMadeTrace.Of([1], [1], [1]));
        var many = HandMadeTrace.Summary(HandMadeTrace.Of([3], [3], [0, 0, 0]));

        var sum = Figures.Sum([few, many with { JobId = few.JobId, Choice = 1 }], isAll: true);

        (sum.Outputs, sum.PromptTokens).ShouldBe((2, 5));
        sum.MeanKld.ShouldBe(0.25);
    }

    [Fact]
    public void Expected_acceptance_is_held_only_against_proposals_that_were_judged()
    {
        var steps = new StepFigures();
        steps.Add(HandMadeTrace.Stored(HandMadeTrace.Of([4], [1], [0, 0, 0, 0], [0.92f, 0.93f, 0.94f, 0.1f])));

        // The first was accepted, the second rejected; what stands behind it was never judged.
        var bin = steps.Calibration.ShouldHaveSingleItem();
        bin.Proposals.ShouldBe(2);
        bin.Observed.ShouldBe(0.5);
        bin.Expected.ShouldBe(0.925, 1e-6);
    }

    [Fact]
    public void A_signal_that_falls_as_acceptance_rises_has_a_correlation_of_minus_one()
    {
        var steps = new SignalSteps();
        for (var output = 0; output < 20; output++)
        {
            var share = output % 5;
            steps.Add(HandMadeTrace.Stored(HandMadeTrace.Of([4], [share], [.. Enumerable.Repeat(1 - (share / 4f), 4)])));
        }

        var kld = SignalFigures.Correlations(steps.Steps).Single(one => one.Signal == "mean KLD");

        kld.Iterations.ShouldBe(20);
        kld.Pearson!.Value.ShouldBe(-1, 1e-9);
        kld.Spearman!.Value.ShouldBe(-1, 1e-9);
        kld.PearsonInterval!.Value.High.ShouldBe(-1, 1e-9);
    }

    [Fact]
    public void On_trial_a_signal_that_foretells_the_next_step_comes_before_one_that_says_nothing()
    {
        var steps = new SignalSteps();
        var random = new Random(5);
        for (var output = 0; output < 60; output++)
        {
            // What a step's KLD is says all of the step after it, and a step's own says nothing.
            int[] accepted = [.. Enumerable.Range(0, 12).Select(_ => random.Next(2) * 4)];
            float[] klds = [.. Enumerable.Range(0, 12).SelectMany(i => Enumerable.Repeat(i < 11 && accepted[i + 1] > 0 ? 0.1f : 2, 4))];
            steps.Add(HandMadeTrace.Stored(HandMadeTrace.Of([.. Enumerable.Repeat(4, 12)], accepted, klds)));
        }

        var tried = SignalTrial.Rank(steps.Steps);

        tried[0].Signal.ShouldContain("KLD");
        var kld = tried.Single(one => one.Signal == "mean KLD of the last step");
        var position = tried.Single(one => one.Signal == "position");
        kld.Steps.ShouldBe(60 * 11);
        kld.Spearman.ShouldBe(-1, 1e-9);
        kld.Auc!.Value.ShouldBe(0, 1e-9);
        kld.LogLossGain!.Value.ShouldBeGreaterThan(0.95);
        position.Auc!.Value.ShouldBe(0.5, 0.06);
        position.AucInterval!.Value.Excludes(0.5).ShouldBeFalse();
        position.LogLossGain!.Value.ShouldBeInRange(0, 0.01);
    }

    [Fact]
    public void Tokens_over_time_are_all_counted_once()
    {
        StoredSummary[] outputs =
        [
            .. Enumerable.Range(0, 200).Select(i => HandMadeTrace.Summary(HandMadeTrace.Of([1], [1]), endToEndMs: 1000 + (i * 700))),
        ];

        var cells = Figures.Throughput(outputs);

        cells.Sum(cell => cell.Tokens).ShouldBe(200 * 3);
        cells.Count.ShouldBeInRange(20, 100);
        cells.ShouldAllBe(cell => cell.Tokens > 0 && cell.Seconds >= 1);
    }
}
