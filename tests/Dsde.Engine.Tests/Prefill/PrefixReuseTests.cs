using Dsde.Engine.Sampling;
using Dsde.Engine.Tests.Batching;
using Dsde.Engine.Tests.Generation;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Prefill;

/// <summary>What begins alike is computed once, and outputs are those of requests that had the engine to themselves.</summary>
public sealed class PrefixReuseTests(TestPair models) : IClassFixture<TestPair>
{
    private static readonly int[] Common = [.. Enumerable.Range(0, 60).Select(i => (i * 37) % 256)];

    [Theory]
    [InlineData(512)]
    [InlineData(7)]
    public void Prompts_that_begin_alike_and_come_together_compute_it_once(int budget)
    {
        var requests = Enumerable.Range(0, 4).Select(i => Greedy([.. Common, 200 + i, i], 20)).ToArray();
        using var loop = new LoopUnderTest(models.Target, models.Draft, budget: budget);

        var results = loop.RunToEnd([.. requests.Select(request => loop.Add(request))]);

        loop.Snapshot.ReusedPromptTokens.ShouldBe(3 * Common.Length);
        loop.Snapshot.PromptTokens.ShouldBe(4 * (Common.Length + 2));
        results.Select(result => result.Trace.ReusedPromptTokens).ShouldBe([0, 60, 60, 60], ignoreOrder: true);
        ShouldBeAsAlone(requests, results);
    }

    [Fact]
    public void In_deterministic_numerics_a_borrowed_prefix_gives_the_same_bit_for_bit()
    {
        var requests = Enumerable
            .Range(0, 4)
            .Select(i => Sampled([.. Common, 200 + i, i], 20, seed: (ulong)i) with { IgnoreEos = true, TopLogProbabilityCount = 3 })
            .ToArray();
        using var loop = new LoopUnderTest(models.Target, models.Draft, budget: 13, change: Deterministic);

        var results = loop.RunToEnd([
            .. requests.Select(request => loop.Add(request with { Sampling = request.Sampling with { Mode = SamplingMode.Coupled } })),
        ]);

        loop.Snapshot.ReusedPromptTokens.ShouldBe(3 * Common.Length);
        for (var i = 0; i < requests.Length; i++)
        {
            using var alone = new LoopUnderTest(models.Target, draft: null, policy: "autoregressive", change: Deterministic);
            var expected = alone.RunToEnd(
                alone.Add(requests[i] with { Sampling = requests[i].Sampling with { Mode = SamplingMode.Coupled } })
            )[0];
            results[i].TokenIds.ShouldBe(expected.TokenIds);
            results[i].Trace.Tokens.Margin.ShouldBe(expected.Trace.Tokens.Margin);
            results[i].TokenLogProbabilities.ShouldBe(expected.TokenLogProbabilities);
            results[i].TopLogProbabilities.SelectMany(tokens => tokens).ShouldBe(expected.TopLogProbabilities.SelectMany(tokens => tokens));
        }

        static void Deterministic(EngineOptions options) => options.Numerics = "deterministic";
    }

    [Fact]
    public void Several_choices_of_one_prompt_compute_it_once()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft);
        var requests = Enumerable.Range(0, 3).Select(_ => Greedy(Common, 12)).ToArray();

        var results = loop.RunToEnd([.. requests.Select(request => loop.Add(request))]);

        loop.Snapshot.ReusedPromptTokens.ShouldBe(2 * (Common.Length - 1)); // the last token's logits are wanted
        ShouldBeAsAlone(requests, results);
    }

    [Fact]
    public void A_sequence_that_is_decoding_lends_what_it_has()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft);
        var first = loop.Add(Greedy(Common, 40));
        loop.Step();
        loop.Step();
        first.IsDecoding.ShouldBeTrue();

        var request = Greedy([.. Common, 9], 20);
        var results = loop.RunToEnd(loop.Add(request));

        results[0].Trace.ReusedPromptTokens.ShouldBe(Common.Length);
        ShouldBeAsAlone([request], results);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    [InlineData(4, 2)]
    public void What_an_ended_sequence_computed_serves_the_next(int batchSize, int retainedSlots)
    {
        using var loop = new LoopUnderTest(
            models.Target,
            models.Draft,
            batchSize,
            change: options => options.RetainedSlots = retainedSlots
        );
        loop.RunToEnd(loop.Add(Greedy([.. Common, 1], 10)));

        GenerationRequest[] requests = [Greedy([.. Common, 2], 20), Greedy([.. Common, 3, 4], 20)];
        var results = requests.Select(request => loop.RunToEnd(loop.Add(request))[0]).ToArray();

        results.ShouldAllBe(result => result.Trace.ReusedPromptTokens == Common.Length);
        ShouldBeAsAlone(requests, results);
    }

    [Fact]
    public void With_two_retained_slots_two_prefixes_in_turn_are_both_kept()
    {
        int[] other = [.. Common.Select(id => 255 - id)];
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 1, change: options => options.RetainedSlots = 2);
        loop.RunToEnd(loop.Add(Greedy(Common, 4)));
        loop.RunToEnd(loop.Add(Greedy(other, 4)));

        var requests = Enumerable.Range(0, 4).Select(i => Greedy([.. i % 2 == 0 ? Common : other, 1, i], 8)).ToArray();
        var results = requests.Select(request => loop.RunToEnd(loop.Add(request))[0]).ToArray();

        results.ShouldAllBe(result => result.Trace.ReusedPromptTokens >= Common.Length);
        ShouldBeAsAlone(requests, results);
    }

    [Fact]
    public void Those_that_await_a_prefix_compute_it_themselves_when_its_owner_leaves()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, budget: 8);
        var control = new GenerationControl();
        var owner = loop.Add(Greedy([.. Common, 1], 20) with { Control = control });
        var requests = Enumerable.Range(0, 3).Select(i => Greedy([.. Common, 5 + i], 20)).ToArray();
        var others = requests.Select(request => loop.Add(request)).ToArray();
        loop.Step();
        loop.Step();
        loop.Step();

        control.Cancel();
        var results = loop.RunToEnd(others);

        LoopUnderTest.ResultOf(owner).FinishReason.ShouldBe(FinishReason.Cancelled);
        loop.Snapshot.ReusedPromptTokens.ShouldBeGreaterThanOrEqualTo(2 * Common.Length);
        ShouldBeAsAlone(requests, results);
    }

    [Fact]
    public void A_borrower_whose_lender_never_drafts_computes_the_drafts_part()
    {
        using var loop = new LoopUnderTest(models.Target, models.Target, policy: "static:4");
        loop.Add(Greedy(Common, 40, "autoregressive"));
        loop.Step();
        loop.Step();

        var results = loop.RunToEnd(loop.Add(Greedy([.. Common, 9], 30)));

        results[0].Trace.ReusedPromptTokens.ShouldBe(Common.Length);
        results[0].Trace.Iterations.Accepted.ShouldBe(results[0].Trace.Iterations.SpeculationLength);
    }

    [Fact]
    public void Only_rows_of_what_is_new_go_through_the_models()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft);
        loop.RunToEnd(loop.Add(Greedy([.. Common, 1], 1)));
        loop.Passes.Clear();

        loop.RunToEnd(loop.Add(Greedy([.. Common, 2, 3], 1)));

        loop.RowsOf("target").ShouldBe(2);
        loop.RowsOf("draft").ShouldBe(2);
    }

    private void ShouldBeAsAlone(GenerationRequest[] requests, GenerationResult[] results)
    {
        for (var i = 0; i < requests.Length; i++)
        {
            using var alone = new LoopUnderTest(models.Target, models.Draft);
            var expected = alone.RunToEnd(alone.Add(requests[i]))[0];
            expected.Trace.ReusedPromptTokens.ShouldBe(0);
            Sameness.ShouldBeSame(results[i], expected);
        }
    }
}
