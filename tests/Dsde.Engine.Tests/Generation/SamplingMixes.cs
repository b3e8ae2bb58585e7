using Dsde.Engine.Sampling;

namespace Dsde.Engine.Tests.Generation;

/// <summary>Sampling parameters of every kind, to be tried side by side.</summary>
internal static class SamplingMixes
{
    public static IReadOnlyList<SamplingParameters> Sampled { get; } =
    [
        new() { Temperature = 1 },
        new() { Temperature = 0.7f },
        new() { Temperature = 1.5f, TopK = 8 },
        new() { Temperature = 1.2f, TopP = 0.9f },
        new() { Temperature = 1, MinP = 0.1f },
        new() { Temperature = 1.1f, RepetitionPenalty = 1.3f },
        new()
        {
            Temperature = 1,
            PresencePenalty = 0.8f,
            FrequencyPenalty = 0.6f,
        },
        new()
        {
            Temperature = 1.3f,
            TopK = 20,
            TopP = 0.95f,
            MinP = 0.02f,
            RepetitionPenalty = 1.2f,
            PresencePenalty = -0.4f,
            FrequencyPenalty = 0.3f,
            LogitBias = new Dictionary<int, float> { [3] = 2f, [70] = -100f },
        },
    ];

    public static IReadOnlyList<SamplingParameters> Greedy { get; } =
    [
        new() { Temperature = 0 },
        new() { Temperature = 0, RepetitionPenalty = 1.5f },
        new()
        {
            Temperature = 0,
            PresencePenalty = 1f,
            FrequencyPenalty = 0.5f,
            LogitBias = new Dictionary<int, float> { [9] = 1f },
        },
    ];

    /// <summary>As many requests as prompts: sampling parameters in turn, seeds of their own.</summary>
    public static GenerationRequest[] Requests(
        IReadOnlyList<SamplingParameters> parameters,
        SamplingMode mode,
        int[][] prompts,
        int maxTokens
    ) =>
        [
            .. prompts.Select(
                (prompt, i) =>
                    new GenerationRequest
                    {
                        PromptTokenIds = prompt,
                        MaxTokens = maxTokens,
                        Sampling = parameters[i % parameters.Count] with { Seed = (ulong)i * 31, Mode = mode },
                    }
            ),
        ];
}
