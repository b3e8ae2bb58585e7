using Dsde.Engine.Sampling;
using Dsde.Speculation;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>Where an output ends, and that nothing stands behind its end.</summary>
public sealed class RequestEndTests(TestPair models) : IClassFixture<TestPair>
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(9)]
    public async Task The_token_limit_is_kept_inside_a_block(int maxTokens)
    {
        await using var engine = Load(models.Target, models.Target, "static:8");

        var results = await engine.GenerateAllAsync(Prompts(6).Select(prompt => Greedy(prompt, maxTokens)));

        results.ShouldAllBe(result => result.TokenIds.Count == maxTokens || result.FinishReason == FinishReason.Stop);
        results.ShouldAllBe(result => result.Trace.CompletionTokens == result.TokenIds.Count);
        results.ShouldAllBe(result => result.Trace.Iterations.SpeculationLength.All(length => length < maxTokens));
    }

    [Fact]
    public async Task The_context_ends_an_output_exactly_when_it_is_full()
    {
        await using var engine = Load(models.Target, models.Draft, "static:8");
        var context = engine.Description.ContextLength;
        int[] lengths = [context - 1, context - 2, context - 9, context - 30];

        var results = await engine.GenerateAllAsync(
            lengths.Select(length => Greedy(Enumerable.Range(0, length).Select(i => i % 250).ToArray(), 1000))
        );

        for (var i = 0; i < lengths.Length; i++)
        {
            if (results[i].FinishReason == FinishReason.Length)
            {
                results[i].TokenIds.Count.ShouldBe(context - lengths[i]);
            }
        }

        results.ShouldContain(result => result.FinishReason == FinishReason.Length);
    }

    [Fact]
    public async Task A_stop_string_ends_the_output_before_it_wherever_it_lies_in_a_block()
    {
        await using var engine = Load(models.Target, models.Target, "static:6");
        var prompt = Prompts(4)[3];
        var whole = await engine.GenerateAsync(Greedy(prompt, 40), TestContext.Current.CancellationToken);
        whole.Text.Length.ShouldBeGreaterThan(10);

        for (var start = 0; start < whole.Text.Length - 2; start++)
        {
            if (char.IsSurrogate(whole.Text[start]) || char.IsSurrogate(whole.Text[start + 1]))
            {
                continue;
            }

            var stop = whole.Text.Substring(start, 2);
            var cut = await engine.GenerateAsync(Greedy(prompt, 40) with { StopStrings = [stop] }, TestContext.Current.CancellationToken);

            cut.FinishReason.ShouldBe(FinishReason.Stop);
            cut.Text.ShouldBe(whole.Text[..whole.Text.IndexOf(stop, StringComparison.Ordinal)]);
            cut.TokenIds.ShouldBe(whole.TokenIds.Take(cut.TokenIds.Count));
            cut.TokenLogProbabilities.Count.ShouldBe(cut.TokenIds.Count);
            cut.Trace.Tokens.Margin.Length.ShouldBe(cut.TokenIds.Count);
        }
    }

    [Fact]
    public async Task Requests_that_can_never_run_are_refused_with_a_reason()
    {
        await using var engine = Load(models.Target, draft: null, "autoregressive");
        var good = Greedy([1, 2, 3], 4);

        await ShouldRefuse(good with { PromptTokenIds = [] }, "no tokens");
        await ShouldRefuse(
            good with
            {
                PromptTokenIds = new int[engine.Description.ContextLength],
            },
            $"at most {engine.Description.ContextLength - 1}"
        );
        await ShouldRefuse(good with { PromptTokenIds = [engine.Description.VocabularySize] }, "not in the vocabulary");
        await ShouldRefuse(good with { MaxTokens = 0 }, "MaxTokens is 0");
        await ShouldRefuse(good with { StopStrings = [""] }, "stop string is empty");
        await ShouldRefuse(good with { Sampling = good.Sampling with { Temperature = -1 } }, "Temperature is -1");
        await ShouldRefuse(good with { Sampling = good.Sampling with { Temperature = float.NaN } }, "Temperature is NaN");
        await ShouldRefuse(good with { Sampling = good.Sampling with { TopP = 0 } }, "TopP is 0");
        await ShouldRefuse(good with { Sampling = good.Sampling with { TopK = -1 } }, "TopK is -1");
        await ShouldRefuse(good with { StopTokenIds = [-1] }, "Stop token id -1");
        await ShouldRefuse(good with { TopLogProbabilityCount = 21 }, "give 0 to 20");
        await ShouldRefuse(good with { Sampling = good.Sampling with { MinP = 1.1f } }, "MinP is 1.1");
        await ShouldRefuse(good with { Sampling = good.Sampling with { RepetitionPenalty = 0 } }, "RepetitionPenalty is 0");
        await ShouldRefuse(good with { Sampling = good.Sampling with { PresencePenalty = 3 } }, "PresencePenalty is 3");
        await ShouldRefuse(good with { Sampling = good.Sampling with { FrequencyPenalty = float.NaN } }, "FrequencyPenalty is NaN");
        await ShouldRefuse(
            good with
            {
                Sampling = good.Sampling with { LogitBias = new Dictionary<int, float> { [4] = 101 } },
            },
            "bias of token 4 is 101"
        );
        await ShouldRefuse(
            good with
            {
                Sampling = good.Sampling with { LogitBias = new Dictionary<int, float> { [-4] = 1 } },
            },
            "Biased token id -4"
        );
        await ShouldRefuse(good with { Sampling = good.Sampling with { Temperature = 1, Mode = SamplingMode.Greedy } }, "Mode is Greedy");
        await ShouldRefuse(good with { Policy = PolicyConfiguration.Parse("static:3") }, "needs a draft model");

        async Task ShouldRefuse(GenerationRequest request, string reason)
        {
            var refusal = await Should.ThrowAsync<ArgumentException>(() =>
                engine.GenerateAsync(request, TestContext.Current.CancellationToken)
            );
            refusal.Message.ShouldContain(reason);
        }
    }
}
