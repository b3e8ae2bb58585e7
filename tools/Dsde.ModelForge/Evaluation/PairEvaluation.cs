using Dsde.Engine;
using Dsde.Engine.Sampling;
using Dsde.ModelForge.Corpus;
using Dsde.Speculation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.ModelForge.Evaluation;

/// <summary>What the pair does on held-out prompts of one workload, greedily, through the engine itself.</summary>
/// <param name="Workload">The workload.</param>
/// <param name="AcceptanceRate">Accepted / proposed tokens.</param>
/// <param name="BlockEfficiency">Tokens per target pass.</param>
/// <param name="MeanBeta">Mean expected acceptance Σ min(p, q) over positions on the path.</param>
/// <param name="MeanKld">Mean KLD over proposed positions, nats.</param>
/// <param name="Samples">Prompts and outputs.</param>
internal sealed record WorkloadEvaluation(
    string Workload,
    double AcceptanceRate,
    double BlockEfficiency,
    double MeanBeta,
    double MeanKld,
    IReadOnlyList<(Document Prompt, string Output)> Samples
);

/// <summary>Measures a pair.</summary>
internal static class PairEvaluation
{
    private const int PromptsPerWorkload = 24;
    private const int SamplesShown = 2;
    private const int MaxTokens = 160;

    /// <summary>The policy the acceptance is measured with.</summary>
    public const string Policy = "static:4";

    public static async Task<IReadOnlyList<WorkloadEvaluation>> MeasureAsync(
        string target,
        string draft,
        int seed,
        CancellationToken cancellationToken
    )
    {
        await using var engine = GenerationEngine.Load(
            new EngineOptions
            {
                Target = target,
                Draft = draft,
                Policy = Policy,
                Device = "cpu",
            },
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
        var evaluations = new List<WorkloadEvaluation>();
        foreach (var workload in CorpusStream.Workloads)
        {
            var corpus = new CorpusStream(seed + 2000, Split.HeldOut);
            var prompts = Enumerable.Range(0, PromptsPerWorkload).Select(number => corpus.At(number, workload)).ToList();
            var results = await Task.WhenAll(prompts.Select(prompt => engine.GenerateAsync(ToRequest(engine, prompt), cancellationToken)));
            evaluations.Add(Summarize(workload, prompts, results));
        }

        return evaluations;
    }

    private static GenerationRequest ToRequest(GenerationEngine engine, Document prompt) =>
        new()
        {
            PromptTokenIds = prompt.IsChat
                ? engine.PromptEncoder.EncodeChat([
                    .. prompt.Turns.Select((turn, i) => new ChatTurn(i % 2 == 0 ? "user" : "assistant", turn)),
                ])
                : engine.PromptEncoder.Encode(prompt.Turns[0]),
            MaxTokens = MaxTokens,
            Sampling = new SamplingParameters { Temperature = 0 },
            Policy = PolicyConfiguration.Parse(Policy),
        };

    private static WorkloadEvaluation Summarize(string workload, List<Document> prompts, GenerationResult[] results)
    {
        var traces = results.Select(result => result.Trace).ToList();
        var onPath = traces
            .SelectMany(trace => trace.Proposals.Beta.Zip(trace.Proposals.OnPath))
            .Where(proposal => proposal.Second)
            .Select(proposal => (double)proposal.First);
        return new WorkloadEvaluation(
            workload,
            traces.Sum(trace => trace.Iterations.Accepted.Sum()) / (double)traces.Sum(trace => trace.Proposed),
            traces.Sum(trace => trace.CompletionTokens - 1) / (double)traces.Sum(trace => trace.Iterations.Accepted.Length),
            onPath.Average(),
            traces.SelectMany(trace => trace.Proposals.Kld).Average(kld => (double)kld),
            [.. prompts.Zip(results, (prompt, result) => (prompt, result.Text)).Take(SamplesShown)]
        );
    }
}
