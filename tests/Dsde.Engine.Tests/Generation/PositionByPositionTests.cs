using Dsde.Engine.Sampling;
using Dsde.Engine.Tests.Sampling;
using TorchSharp;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>
/// Each token of a speculated output is what the target alone, asked with the true prefix, would have chosen: penalties see exactly the
/// tokens before, noise depends on seed and position only, and log-probabilities are the target's.
/// </summary>
public sealed class PositionByPositionTests(TestPair models) : IClassFixture<TestPair>
{
    private const int Length = 28;

    [Theory]
    [InlineData("static:5")]
    [InlineData("dsde")]
    [InlineData("adaedl")]
    public async Task Every_token_is_the_targets_own_choice(string policy)
    {
        await using var engine = Load(models.Target, models.Draft, policy, batchSize: 7);
        using var target = new TargetAlone(models.Target);
        var requests = SamplingMixes.Requests(
            [.. SamplingMixes.Sampled, .. SamplingMixes.Greedy],
            SamplingMode.Coupled,
            Prompts(33),
            Length
        );

        var results = await engine.GenerateAllAsync(requests);

        results.Sum(result => result.Trace.Accepted).ShouldBeGreaterThan(100);
        foreach (var (request, result) in requests.Zip(results))
        {
            var logits = target.LogitsOfAll([.. request.PromptTokenIds, .. result.TokenIds]);
            for (var i = 0; i < result.TokenIds.Count; i++)
            {
                var scores = Perturbed(logits[request.PromptTokenIds.Count + i - 1], request, [.. result.TokenIds.Take(i)]);
                var order = Enumerable.Range(0, scores.Length).OrderByDescending(id => scores[id]).Take(2).ToArray();
                var margin = scores[order[0]] - scores[order[1]];
                if (margin > 1e-3)
                {
                    result.TokenIds[i].ShouldBe(order[0], $"Token {i}, {request.Sampling}");
                    result.Trace.Tokens.Margin[i].ShouldBe((float)Math.Min(margin, TokenMeasures.LargestMargin), 2e-3f);
                }
            }
        }
    }

    [Theory]
    [InlineData(SamplingMode.Rejection)]
    [InlineData(SamplingMode.Coupled)]
    public async Task Log_probabilities_are_the_targets_raw_ones(SamplingMode mode)
    {
        await using var engine = Load(models.Target, models.Draft, "static:4", batchSize: 6);
        using var target = new TargetAlone(models.Target);
        var requests = SamplingMixes
            .Requests([.. SamplingMixes.Sampled, .. SamplingMixes.Greedy], mode, Prompts(22), Length)
            .Select((request, i) => request with { TopLogProbabilityCount = i % 4 * 5 })
            .ToArray();

        var results = await engine.GenerateAllAsync(requests);

        foreach (var (request, result) in requests.Zip(results))
        {
            result.TokenLogProbabilities.Count.ShouldBe(result.TokenIds.Count);
            result.TopLogProbabilities.Count.ShouldBe(request.TopLogProbabilityCount == 0 ? 0 : result.TokenIds.Count);
            var logits = target.LogitsOfAll([.. request.PromptTokenIds, .. result.TokenIds]);
            for (var i = 0; i < result.TokenIds.Count; i++)
            {
                var expected = LogSoftmax(logits[request.PromptTokenIds.Count + i - 1]);
                result.TokenLogProbabilities[i].ShouldBe((float)expected[result.TokenIds[i]], 1e-3f);
                if (request.TopLogProbabilityCount > 0)
                {
                    var best = expected.OrderDescending().Take(request.TopLogProbabilityCount).ToArray();
                    var reported = result.TopLogProbabilities[i];
                    reported.Count.ShouldBe(best.Length);
                    reported.Select(token => token.TokenId).ShouldBeUnique();
                    for (var rank = 0; rank < best.Length; rank++)
                    {
                        reported[rank].LogProbability.ShouldBe((float)best[rank], 1e-3f);
                        reported[rank].LogProbability.ShouldBe((float)expected[reported[rank].TokenId], 1e-3f);
                    }
                }
            }
        }
    }

    private static double[] LogSoftmax(float[] logits)
    {
        var normalizer = Math.Log(logits.Sum(logit => Math.Exp(logit)));
        return [.. logits.Select(logit => logit - normalizer)];
    }

    /// <summary>Penalised logits in greedy mode; ln p' plus noise in coupled mode.</summary>
    private static double[] Perturbed(float[] logits, GenerationRequest request, int[] output)
    {
        var parameters = request.Sampling;
        if (parameters.IsGreedy)
        {
            return ReferenceSampler.Penalise(logits, parameters, request.PromptTokenIds, output);
        }

        using var noise = TestNoise.Create([NoiseKey.Of(parameters.Seed, request.PromptTokenIds.Count + output.Length)], logits.Length);
        var distribution = ReferenceSampler.Distribution(logits, parameters, request.PromptTokenIds, output);
        return [.. distribution.Zip(noise.data<float>().ToArray(), (probability, value) => Math.Log(probability) + value)];
    }
}
