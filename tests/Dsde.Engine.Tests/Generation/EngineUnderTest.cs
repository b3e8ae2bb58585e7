using Dsde.Engine.Sampling;
using Dsde.Speculation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.Engine.Tests.Generation;

/// <summary>Loads engines on test models, in fp32 on the CPU, and runs requests on them.</summary>
internal static class EngineUnderTest
{
    public static GenerationEngine Load(
        string target,
        string? draft,
        string policy = "dsde",
        int batchSize = 4,
        Action<EngineOptions>? change = null
    )
    {
        var options = new EngineOptions
        {
            Target = target,
            Draft = draft,
            Policy = policy,
            BatchSize = batchSize,
            DataType = "fp32",
            Device = "cpu",
            Threads = 1,
            CostGuard = false, // test models draft too badly for it to allow anything
        };
        change?.Invoke(options);
        return GenerationEngine.Load(options, TimeProvider.System, NullLoggerFactory.Instance);
    }

    public static Task<GenerationResult[]> GenerateAllAsync(this IGenerationEngine engine, IEnumerable<GenerationRequest> requests) =>
        Task.WhenAll(requests.Select(request => engine.GenerateAsync(request, TestContext.Current.CancellationToken)));

    public static GenerationRequest Greedy(IReadOnlyList<int> prompt, int maxTokens, string? policy = null) =>
        new()
        {
            PromptTokenIds = prompt,
            MaxTokens = maxTokens,
            Sampling = new SamplingParameters { Temperature = 0 },
            Policy = policy is null ? null : PolicyConfiguration.Parse(policy),
        };

    public static GenerationRequest Sampled(
        IReadOnlyList<int> prompt,
        int maxTokens,
        ulong seed,
        float temperature = 1f,
        int topK = 0,
        float topP = 1f
    ) =>
        new()
        {
            PromptTokenIds = prompt,
            MaxTokens = maxTokens,
            Sampling = new SamplingParameters
            {
                Temperature = temperature,
                TopK = topK,
                TopP = topP,
                Seed = seed,
            },
        };

    /// <summary>Prompts of different lengths, the same for the same count.</summary>
    public static int[][] Prompts(int count, int vocabularySize = 256)
    {
        var random = new Random(7);
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => Enumerable.Range(0, 1 + (i * 5 % 23)).Select(_ => random.Next(vocabularySize)).ToArray()),
        ];
    }
}
