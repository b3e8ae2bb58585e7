using Dsde.Engine.Sampling;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>No setting inside its range gives anything but tokens and numbers, alone or beside any other.</summary>
public sealed class ExtremeSamplingTests(TestPair models) : IClassFixture<TestPair>
{
    private const int MaxTokens = 6;

    private static readonly Func<SamplingParameters, SamplingParameters>[] Extremes =
    [
        .. new[] { 0f, float.Epsilon, 8e-38f, 1e-30f, 9.9e-6f, SamplingParameters.SmallestTemperature, 1e-3f, 1f, 2f }.Select(value =>
            Change(parameters => parameters with { Temperature = value })
        ),
        .. new[] { float.Epsilon, 1e-7f, MathF.BitDecrement(1f) }.Select(value => Change(parameters => parameters with { TopP = value })),
        .. new[] { 1, 2, int.MaxValue }.Select(value => Change(parameters => parameters with { TopK = value })),
        .. new[] { float.Epsilon, MathF.BitDecrement(1f), 1f }.Select(value => Change(parameters => parameters with { MinP = value })),
        .. new[] { SamplingParameters.SmallestRepetitionPenalty, SamplingParameters.LargestRepetitionPenalty }.Select(value =>
            Change(parameters => parameters with { RepetitionPenalty = value })
        ),
        .. new[] { -2f, float.Epsilon, 2f }.Select(value => Change(parameters => parameters with { PresencePenalty = value })),
        .. new[] { -2f, float.Epsilon, 2f }.Select(value => Change(parameters => parameters with { FrequencyPenalty = value })),
        .. new[] { -100f, 100f }.Select(value => Change(parameters => parameters with { LogitBias = EveryToken(value) })),
        Change(parameters =>
            parameters with
            {
                LogitBias = new Dictionary<int, float>
                {
                    [7] = 100,
                    [8] = 100,
                    [9] = -100,
                },
            }
        ),
        Change(parameters => parameters with { Seed = ulong.MaxValue }),
    ];

    [Theory]
    [InlineData(SamplingMode.Coupled)]
    [InlineData(SamplingMode.Rejection)]
    public async Task Every_pair_of_extreme_settings_gives_tokens_and_numbers(SamplingMode mode)
    {
        var prompt = Prompts(6)[5];
        var pairs = Extremes
            .SelectMany((first, i) => Extremes.Skip(i).Select(second => second(first(new SamplingParameters { Mode = mode, Seed = 5 }))))
            .ToArray();
        await using var engine = Load(models.Target, models.Draft, "static:3", batchSize: 32);

        var results = await engine.GenerateAllAsync(
            pairs.Select(sampling => new GenerationRequest
            {
                PromptTokenIds = prompt,
                MaxTokens = MaxTokens,
                Sampling = sampling,
                IgnoreEos = true,
            })
        );

        foreach (var (sampling, result) in pairs.Zip(results))
        {
            result.TokenIds.Count.ShouldBe(MaxTokens, $"{sampling}");
            result.TokenIds.ShouldAllBe(id => id >= 0 && id < engine.Description.VocabularySize, $"{sampling}");
            result.TokenLogProbabilities.ShouldAllBe(value => float.IsFinite(value), $"{sampling}");
            result.Trace.Tokens.Margin.ShouldAllBe(value => float.IsFinite(value), $"{sampling}");
        }
    }

    [Theory]
    [InlineData(float.Epsilon)]
    [InlineData(1e-38f)]
    [InlineData(8e-38f)]
    [InlineData(1e-20f)]
    [InlineData(9.9e-6f)]
    public async Task Temperatures_below_the_smallest_are_greedy_and_traced_as_such(float temperature)
    {
        await using var engine = Load(models.Target, models.Draft, "static:3");

        foreach (var prompt in Prompts(4))
        {
            var greedy = await engine.GenerateAllAsync([Greedy(prompt, 20)]);
            var results = await engine.GenerateAllAsync([Sampled(prompt, 20, seed: 3, temperature)]);

            results[0].TokenIds.ShouldBe(greedy[0].TokenIds);
            results[0].Trace.SamplingMode.ShouldBe(SamplingMode.Greedy);
        }
    }

    [Theory]
    [InlineData(SamplingMode.Coupled)]
    [InlineData(SamplingMode.Rejection)]
    public async Task The_smallest_temperature_takes_the_most_probable_token(SamplingMode mode)
    {
        await using var engine = Load(models.Target, models.Draft, "static:3");

        foreach (var prompt in Prompts(4))
        {
            var greedy = await engine.GenerateAllAsync([Greedy(prompt, 20)]);
            var request = Sampled(prompt, 20, seed: 3, SamplingParameters.SmallestTemperature);
            var results = await engine.GenerateAllAsync([request with { Sampling = request.Sampling with { Mode = mode } }]);

            results[0].TokenIds.ShouldBe(greedy[0].TokenIds);
            results[0].Trace.SamplingMode.ShouldBe(mode);
        }
    }

    [Theory]
    [InlineData(nameof(SamplingParameters.Temperature))]
    [InlineData(nameof(SamplingParameters.TopP))]
    [InlineData(nameof(SamplingParameters.MinP))]
    [InlineData(nameof(SamplingParameters.RepetitionPenalty))]
    [InlineData(nameof(SamplingParameters.PresencePenalty))]
    [InlineData(nameof(SamplingParameters.FrequencyPenalty))]
    [InlineData(nameof(SamplingParameters.LogitBias))]
    public async Task What_is_beyond_a_range_is_refused_by_name(string parameter)
    {
        await using var engine = Load(models.Target, models.Draft);

        foreach (var value in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity, -200f, 200f })
        {
            var sampling = With(new SamplingParameters(), parameter, value);
            var request = new GenerationRequest
            {
                PromptTokenIds = [1],
                MaxTokens = 1,
                Sampling = sampling,
            };

            var exception = await Should.ThrowAsync<ArgumentException>(() =>
                engine.GenerateAsync(request, TestContext.Current.CancellationToken)
            );
            exception.Message.ShouldContain(parameter == nameof(SamplingParameters.LogitBias) ? "bias" : parameter);
        }
    }

    private static Func<SamplingParameters, SamplingParameters> Change(Func<SamplingParameters, SamplingParameters> change) => change;

    private static Dictionary<int, float> EveryToken(float bias) => Enumerable.Range(0, 250).ToDictionary(id => id, _ => bias);

    private static SamplingParameters With(SamplingParameters parameters, string name, float value) =>
        name switch
        {
            nameof(SamplingParameters.Temperature) => parameters with { Temperature = value },
            nameof(SamplingParameters.TopP) => parameters with { TopP = value },
            nameof(SamplingParameters.MinP) => parameters with { MinP = value },
            nameof(SamplingParameters.RepetitionPenalty) => parameters with { RepetitionPenalty = value },
            nameof(SamplingParameters.PresencePenalty) => parameters with { PresencePenalty = value },
            nameof(SamplingParameters.FrequencyPenalty) => parameters with { FrequencyPenalty = value },
            _ => parameters with { LogitBias = new Dictionary<int, float> { [1] = value } },
        };
}
