using Dsde.Engine.Tests.Batching;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Prefill;

/// <summary>How the work before iterations is divided, and that iterations go on meanwhile.</summary>
public sealed class PrefillTests(TestPair models) : IClassFixture<TestPair>
{
    private const int Budget = 8;

    [Fact]
    public void A_long_prompt_holds_up_no_iteration_and_takes_no_more_than_the_budget_of_any_round()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, budget: Budget);
        var decoding = loop.Add(Greedy([1, 2, 3], 60));
        loop.Step();
        var arriving = loop.Add(Greedy(Distinct(100, 0), 5));

        for (var round = 0; round < 100 / Budget; round++)
        {
            var before = decoding.EmittedCount;
            loop.Passes.Clear();
            loop.Step();

            decoding.EmittedCount.ShouldBeGreaterThan(before);
            loop.Target.Cache.LengthOf(arriving.Slot).ShouldBe((round + 1) * Budget);
            loop.Passes.SelectMany(pass => pass.Rows).Where(span => span.Slot == arriving.Slot).ShouldAllBe(span => span.Count <= Budget);
        }

        loop.RunToEnd(decoding, arriving);
    }

    [Fact]
    public void Prompts_share_a_pass_and_a_short_one_does_not_wait_behind_a_long_one()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, budget: Budget);
        var longer = loop.Add(Greedy(Distinct(100, 0), 3));
        var shorter = loop.Add(Greedy([9, 8, 7], 3));

        loop.Step();

        shorter.IsDecoding.ShouldBeTrue();
        loop.Passes[0].Rows.Select(span => span.Count).ShouldBe([3, 5]);
        loop.RunToEnd(longer, shorter);
    }

    [Fact]
    public void A_batch_that_proposes_nothing_decodes_plainly()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft);
        var sequences = Prompts(4).Select(prompt => loop.Add(Greedy(prompt, 20), new ScriptedPolicy(_ => 0))).ToArray();
        loop.Step();
        loop.Passes.Clear();

        loop.RunToEnd(sequences);

        loop.Passes.ShouldAllBe(pass => pass.Model == "target" && pass.Rows.All(span => span.Count == 1));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(30)]
    [InlineData(60)]
    [InlineData(75)]
    public void A_draft_that_was_not_asked_for_a_while_catches_up_and_is_right_again(int pause)
    {
        using var loop = new LoopUnderTest(models.Target, models.Target, budget: 16);
        var sequence = loop.Add(Greedy(Distinct(20, 3), 100), new ScriptedPolicy(plans => plans < pause ? 0 : 4));

        var result = loop.RunToEnd(sequence)[0];

        result.Trace.Proposed.ShouldBeGreaterThan(0);
        result.Trace.Iterations.Accepted.ShouldBe(result.Trace.Iterations.SpeculationLength);
        result.Trace.Tokens.DraftMatch[..pause].ShouldAllBe(match => match == 1); // also where nothing was proposed
        loop.Passes.Where(pass => pass.Model == "draft").ShouldAllBe(pass => pass.Rows.All(span => span.Count <= 33));
    }

    [Fact]
    public void A_draft_far_behind_does_not_hold_up_its_neighbours()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, budget: 10);
        var returning = loop.Add(Greedy([1, 2, 3], 110), new ScriptedPolicy(plans => plans < 80 ? 0 : 3));
        var neighbour = loop.Add(Greedy([4, 5], 110), new ScriptedPolicy(_ => 2));
        while (returning.EmittedCount < 80)
        {
            loop.Step();
        }

        loop.Passes.Clear();
        loop.RunToEnd(returning, neighbour);

        loop.Passes.Where(pass => pass.Model == "draft").ShouldAllBe(pass => pass.Rows.Sum(span => span.Count) <= 36);
        LoopUnderTest.ResultOf(returning).Trace.Proposed.ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData("static:8")]
    [InlineData("dsde")]
    public void A_model_that_drafts_for_itself_is_right_up_to_the_last_position_of_the_context(string policy)
    {
        using var loop = new LoopUnderTest(
            models.Target,
            models.Target,
            batchSize: 12,
            policy: policy,
            change: options => options.MaxLength = 64
        );
        var sequences = Enumerable.Range(1, 12).Select(left => loop.Add(Greedy(Distinct(64 - left, left), 100))).ToArray();

        var results = loop.RunToEnd(sequences);

        for (var left = 1; left <= 12; left++)
        {
            results[left - 1].TokenIds.Count.ShouldBe(left);
            results[left - 1].FinishReason.ShouldBe(FinishReason.Length);
            results[left - 1].Trace.Iterations.Accepted.ShouldBe(results[left - 1].Trace.Iterations.SpeculationLength);
        }
    }

    private static int[] Distinct(int count, int seed) => [.. Enumerable.Range(0, count).Select(i => ((i * 31) + (seed * 57) + 11) % 251)];
}
