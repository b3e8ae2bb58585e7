using Dsde.Engine.Kv;
using Dsde.Engine.Sampling;
using Dsde.Engine.Sequences;
using Dsde.Engine.Telemetry;
using Dsde.Engine.Torch;
using TorchSharp;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Batching;

/// <summary>
/// Logits that are NaN, from one position of one sequence on: it fails there and tells where, the others go on as if nothing had been, and
/// nothing but numbers is recorded. The cause here is a token whose embedding is spoilt once the model has been loaded.
/// </summary>
public sealed class LogitsWithoutNumbersTests(TestPair models) : IClassFixture<TestPair>
{
    private const int Tokens = 24;

    public static TheoryData<SamplingMode, string> ModesAndPolicies =>
        new MatrixTheoryData<SamplingMode, string>(Enum.GetValues<SamplingMode>(), ["autoregressive", "static:4", "dsde"]);

    public static TheoryData<SamplingMode, string> ModesAndDraftingPolicies =>
        new MatrixTheoryData<SamplingMode, string>(Enum.GetValues<SamplingMode>(), ["static:4", "dsde", "adaedl", "goodput"]);

    [Theory]
    [MemberData(nameof(ModesAndPolicies))]
    public void A_sequence_whose_target_has_no_numbers_fails_at_that_position_and_its_mates_go_on(SamplingMode mode, string policy)
    {
        var requests = Requests(mode);
        var clean = Run(requests, policy);
        var (victim, index) = FindOwnToken(requests, clean);

        using var loop = new LoopUnderTest(models.Target, models.Draft, policy: policy);
        Spoil(loop.Target.Weights.Embedding, clean[victim].TokenIds[index]);
        var sequences = requests.Select(request => loop.Add(request)).ToArray();
        loop.RunToEnd();

        var position = requests[victim].PromptTokenIds.Count + index + 1;
        FailureOf(sequences[victim])
            .ShouldContain(
                $"logits at position {position} ({requests[victim].PromptTokenIds.Count} tokens of prompt, {index + 1} of output"
            );
        foreach (var mate in Enumerable.Range(0, requests.Count).Where(mate => mate != victim))
        {
            var result = LoopUnderTest.ResultOf(sequences[mate]);
            ShouldBeNumbers(result);
            if (mode != SamplingMode.Rejection)
            {
                result.TokenIds.ShouldBe(clean[mate].TokenIds);
            }
        }

        ShouldGiveNumbers(loop.Target.Cache, loop.Draft.Cache);
        loop.Snapshot.BatchLimit.ShouldBe(4, "The round itself has not failed.");
    }

    [Theory]
    [InlineData(SamplingMode.Greedy)]
    [InlineData(SamplingMode.Rejection)]
    [InlineData(SamplingMode.Coupled)]
    public void A_prompt_without_numbers_at_its_end_fails_and_leaves_nothing_to_those_that_come_after_it(SamplingMode mode)
    {
        var good = Request(mode, [9, 8, 7, 6], 1);
        var bad = Request(mode, [.. Enumerable.Range(20, 40)], 2);
        var expected = Run([good], "static:4")[0];

        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 1, budget: 16, policy: "static:4");
        Spoil(loop.Target.Weights.Embedding, 30);
        var (first, second, third) = (loop.Add(bad), loop.Add(good), loop.Add(bad));
        loop.RunToEnd();

        FailureOf(first).ShouldContain("logits at position 40 (40 tokens of prompt, 0 of output before it)");
        FailureOf(third).ShouldBe(FailureOf(first));
        LoopUnderTest.ResultOf(second).TokenIds.ShouldBe(expected.TokenIds);
        ShouldGiveNumbers(loop.Target.Cache, loop.Draft.Cache);
        loop.Snapshot.BatchLimit.ShouldBe(1);
    }

    [Theory]
    [InlineData("cancelled", true)]
    [InlineData("cancelled", false)]
    [InlineData("suspended", true)]
    [InlineData("abandoned", true)]
    public void A_prompt_without_numbers_that_is_left_in_its_middle_leaves_nothing_either(string how, bool isTargets)
    {
        var control = new GenerationControl();
        using var abandoned = new CancellationTokenSource();
        var good = Request(SamplingMode.Greedy, [9, 8, 7, 6], 1);
        var bad = Request(SamplingMode.Greedy, [.. Enumerable.Range(20, 60)], 2) with { Control = control };
        var expected = Run([good], "static:4")[0];

        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 1, budget: 20, policy: "static:4");
        Spoil((isTargets ? loop.Target : loop.Draft).Weights.Embedding, 30);
        var first = loop.Add(bad, cancellation: abandoned.Token);
        loop.Step();
        loop.Step();
        (loop.Target.Cache.LengthOf(0), first.IsDecoding).ShouldBe((40, false));
        (
            how == "cancelled" ? control.Cancel
            : how == "suspended" ? control.Suspend
            : (Action)abandoned.Cancel
        )();
        var second = loop.RunToEnd(loop.Add(good))[0];

        first.Completion.Task.IsCompleted.ShouldBeTrue();
        second.TokenIds.ShouldBe(expected.TokenIds);
        second.Trace.Proposed.ShouldBe(expected.Trace.Proposed);
        ShouldGiveNumbers(loop.Target.Cache, loop.Draft.Cache);
    }

    [Fact]
    public void A_prompt_without_numbers_that_is_given_up_with_its_round_leaves_nothing_either()
    {
        var good = Request(SamplingMode.Greedy, [9, 8, 7, 6], 1);
        var bad = Request(SamplingMode.Greedy, [.. Enumerable.Range(20, 60)], 2);
        var expected = Run([good], "static:4")[0];

        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 1, budget: 20, policy: "static:4");
        Spoil(loop.Target.Weights.Embedding, 30);
        var first = loop.Add(bad);
        loop.Step();
        var before = loop.Target.BeforePass;
        loop.Target.BeforePass = _ => throw new InvalidOperationException("broken");
        loop.Step();
        loop.Target.BeforePass = before;
        var second = loop.RunToEnd(loop.Add(good))[0];

        FailureOf(first).ShouldContain("broken");
        second.TokenIds.ShouldBe(expected.TokenIds);
        ShouldGiveNumbers(loop.Target.Cache);
    }

    [Fact]
    public void A_draft_without_numbers_that_was_never_asked_leaves_nothing()
    {
        var bad = Request(SamplingMode.Greedy, [.. Enumerable.Range(20, 40)], 2) with { MaxTokens = 1 };

        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 1, policy: "static:4");
        Spoil(loop.Draft.Weights.Embedding, 30);
        loop.RunToEnd(loop.Add(bad))[0].TokenIds.Count.ShouldBe(1);

        ShouldGiveNumbers(loop.Draft.Cache);
    }

    [Theory]
    [MemberData(nameof(ModesAndDraftingPolicies))]
    public void A_draft_without_numbers_proposes_nothing_and_is_counted(SamplingMode mode, string policy)
    {
        var requests = Requests(mode);
        var alone = Run(requests, "autoregressive");
        var proposed = Run(requests, policy);
        var (victim, index) = FindOwnToken(requests, proposed);

        using var loop = new LoopUnderTest(models.Target, models.Draft, policy: policy);
        Spoil(loop.Draft.Weights.Embedding, proposed[victim].TokenIds[index]);
        var results = loop.RunToEnd([.. requests.Select(request => loop.Add(request))]);

        loop.Snapshot.DraftRowsWithoutNumbers.ShouldBeGreaterThan(0);
        loop.Snapshot.Proposed.ShouldBe(results.Sum(result => result.Trace.Proposed));
        foreach (var (result, expected) in results.Zip(alone))
        {
            ShouldBeNumbers(result);
            result.TokenIds.Count.ShouldBe(Tokens);
            if (mode != SamplingMode.Rejection)
            {
                result.TokenIds.ShouldBe(expected.TokenIds);
            }
        }

        ShouldGiveNumbers(loop.Draft.Cache);
    }

    [Theory]
    [MemberData(nameof(ModesAndDraftingPolicies))]
    public void A_draft_that_never_has_numbers_costs_no_output(SamplingMode mode, string policy)
    {
        var requests = Requests(mode);
        var alone = Run(requests, "autoregressive");

        using var loop = new LoopUnderTest(models.Target, models.Draft, policy: policy);
        loop.Draft.Weights.FinalNorm.fill_(Scalars.Of(double.PositiveInfinity));
        var results = loop.RunToEnd([.. requests.Select(request => loop.Add(request))]);

        results.Sum(result => result.Trace.Proposed).ShouldBe(0);
        results.ShouldAllBe(result => result.TokenIds.Count == Tokens);
        if (mode != SamplingMode.Rejection)
        {
            results.Select(result => result.TokenIds).ShouldBe(alone.Select(result => result.TokenIds));
        }
    }

    private static List<GenerationRequest> Requests(SamplingMode mode) =>
        [.. Prompts(4).Select((prompt, i) => Request(mode, prompt, (ulong)(100 + i)))];

    /// <summary>With what changes logits, and what is told of the most probable tokens.</summary>
    private static GenerationRequest Request(SamplingMode mode, int[] prompt, ulong seed) =>
        new()
        {
            PromptTokenIds = prompt,
            MaxTokens = Tokens,
            IgnoreEos = true,
            TopLogProbabilityCount = 3,
            Sampling = new SamplingParameters
            {
                Temperature = mode == SamplingMode.Greedy ? 0 : 1,
                Mode = mode == SamplingMode.Greedy ? null : mode,
                Seed = seed,
                TopK = seed % 2 == 0 ? 40 : 0,
                TopP = seed % 2 == 0 ? 0.95f : 1,
                RepetitionPenalty = 1.1f,
            },
        };

    private GenerationResult[] Run(IReadOnlyList<GenerationRequest> requests, string policy)
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, policy: policy);
        return loop.RunToEnd([.. requests.Select(request => loop.Add(request))]);
    }

    /// <summary>A token in the middle of one output that is in no prompt, no other output, and not earlier in this one.</summary>
    private static (int Sequence, int Index) FindOwnToken(List<GenerationRequest> requests, GenerationResult[] results)
    {
        for (var sequence = 0; sequence < results.Length; sequence++)
        {
            for (var index = 1; index < Tokens - 6; index++)
            {
                var token = results[sequence].TokenIds[index];
                if (
                    requests.TrueForAll(request => !request.PromptTokenIds.Contains(token))
                    && !results.Where((_, other) => other != sequence).Any(other => other.TokenIds.Contains(token))
                    && !results[sequence].TokenIds.Take(index).Contains(token)
                )
                {
                    return (sequence, index);
                }
            }
        }

        throw new InvalidOperationException("No output has a token of its own.");
    }

    private static void Spoil(torch.Tensor embedding, int token)
    {
        using var row = embedding[token];
        row.fill_(Scalars.Of(double.NaN));
    }

    private static string FailureOf(Sequence sequence) =>
        sequence.Completion.Task.Exception.ShouldNotBeNull().InnerException.ShouldBeOfType<EngineFailureException>().Message;

    /// <summary>Whoever comes, and takes every block there is, finds nothing but numbers in it.</summary>
    private static void ShouldGiveNumbers(params ReadOnlySpan<KvCache> caches)
    {
        foreach (var cache in caches)
        {
            using var scope = torch.NewDisposeScope();
            for (var slot = 0; slot < cache.SlotCount; slot++)
            {
                cache.Reserve(slot, cache.LengthOf(slot), cache.MaxLength);
            }

            cache.Keys(0).isfinite().all().item<bool>().ShouldBeTrue("The cache holds something else than numbers."); // and all behind them
            for (var slot = 0; slot < cache.SlotCount; slot++)
            {
                cache.SetLength(slot, cache.LengthOf(slot));
            }
        }
    }

    private static void ShouldBeNumbers(GenerationResult result)
    {
        result.TokenIds.ShouldAllBe(id => id >= 0 && id < 300);
        result.TopLogProbabilities.SelectMany(top => top).ShouldAllBe(top => float.IsFinite(top.LogProbability));
        GenerationTrace trace = result.Trace;
        IEnumerable<float>[] series =
        [
            result.TokenLogProbabilities,
            trace.Tokens.Margin,
            trace.Proposals.Kld,
            trace.Proposals.Beta,
            trace.Proposals.DraftEntropy,
            trace.Iterations.DraftMs,
            trace.Iterations.VerifyMs,
        ];
        series.SelectMany(values => values).ShouldAllBe(value => float.IsFinite(value));
    }
}
