using Dsde.Engine.Sampling;
using Dsde.Speculation;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>
/// Stop tokens end an output wherever they lie in a block of accepted proposals, exactly as in plain decoding.
/// </summary>
public sealed class StopTests(TestPair models) : IClassFixture<TestPair>
{
    private const int MaxTokens = 20;

    /// <summary>
    /// The target as its own draft: every block of k + 1 tokens is accepted, and the first begins behind the prompt's own token.
    /// </summary>
    [Theory]
    [InlineData(SamplingMode.Greedy)]
    [InlineData(SamplingMode.Rejection)]
    [InlineData(SamplingMode.Coupled)]
    public async Task A_stop_token_ends_the_output_at_every_offset_of_a_block(SamplingMode mode)
    {
        await using var engine = Load(models.Target, models.Target, batchSize: 16);
        for (var length = 1; length <= 8; length++)
        {
            var request = EngineUnderTest.Sampled([250, 17, 3], MaxTokens, 11, mode == SamplingMode.Greedy ? 0f : 1.3f) with
            {
                Policy = PolicyConfiguration.Parse($"static:{length}"),
            };
            request = request with
            {
                Sampling = request.Sampling with { Mode = mode, PresencePenalty = 2f, RepetitionPenalty = 3f },
                IgnoreEos = true,
            }; // hardly a token comes twice
            var whole = await engine.GenerateAsync(request, TestContext.Current.CancellationToken);
            whole.TokenIds.Count.ShouldBe(MaxTokens);
            whole.TokenIds.Take(length + 2).Distinct().Count().ShouldBe(length + 2, "Not every offset is tried.");

            var stopped = await engine.GenerateAllAsync(
                Enumerable.Range(0, length + 2).Select(offset => request with { StopTokenIds = [whole.TokenIds[offset]] })
            );

            for (var offset = 0; offset < stopped.Length; offset++)
            {
                var result = stopped[offset];
                result.FinishReason.ShouldBe(FinishReason.Stop);
                result.TokenIds.ShouldBe(whole.TokenIds.Take(offset + 1));
                result.Trace.CompletionTokens.ShouldBe(offset + 1);
                result.Trace.Tokens.Margin.Length.ShouldBe(offset + 1);
                result.Trace.Accepted.ShouldBe(Math.Min(offset, length));
                whole.Text.ShouldStartWith(result.Text.TrimEnd('\uFFFD'));
            }
        }
    }

    [Fact]
    public async Task A_stop_beats_the_length_at_the_last_token()
    {
        await using var engine = Load(models.Target, models.Draft, "static:4");
        var whole = await engine.GenerateAsync(Sampled([8, 9], 6, 3), TestContext.Current.CancellationToken);

        var stopped = await engine.GenerateAsync(
            Sampled([8, 9], 6, 3) with
            {
                StopTokenIds = [whole.TokenIds[5]],
            },
            TestContext.Current.CancellationToken
        );

        whole.FinishReason.ShouldBe(FinishReason.Length);
        stopped.FinishReason.ShouldBe(FinishReason.Stop);
        stopped.TokenIds.Count.ShouldBe(whole.TokenIds.Index().First(token => token.Item == whole.TokenIds[5]).Index + 1);
    }

    [Fact]
    public async Task End_tokens_can_be_taken_for_ordinary_ones_while_stop_tokens_still_end_the_output()
    {
        await using var engine = Load(models.Target, models.Draft, "static:4");
        var ending = Greedy([5, 6], 12) with
        {
            Sampling = new()
            {
                Temperature = 0,
                LogitBias = new Dictionary<int, float> { [TestModelFolder.TurnEnd] = 100 },
            },
        };

        var results = await engine.GenerateAllAsync([
            ending,
            ending with
            {
                IgnoreEos = true,
            },
            ending with
            {
                IgnoreEos = true,
                StopTokenIds = [TestModelFolder.TurnEnd],
            },
        ]);

        results.Select(result => result.TokenIds.Count).ShouldBe([1, 12, 1]);
        results.Select(result => result.FinishReason).ShouldBe([FinishReason.Stop, FinishReason.Length, FinishReason.Stop]);
        results.ShouldAllBe(result => result.Text == "" && result.TokenIds.All(id => id == TestModelFolder.TurnEnd));
    }

    private static GenerationRequest Sampled(int[] prompt, int maxTokens, ulong seed) =>
        EngineUnderTest.Sampled(prompt, maxTokens, seed) with
        {
            Sampling = new SamplingParameters
            {
                Seed = seed,
                Mode = SamplingMode.Coupled,
                Temperature = 1.3f,
            },
        };
}
