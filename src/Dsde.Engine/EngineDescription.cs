using Dsde.Speculation;

namespace Dsde.Engine;

/// <summary>What an engine has loaded, and its limits.</summary>
/// <param name="Target">Name of the target model: its folder's name.</param>
/// <param name="Draft">Name of the draft model; null without one.</param>
/// <param name="ContextLength">Most tokens of prompt and output together.</param>
/// <param name="VocabularySize">Tokens in the vocabulary.</param>
/// <param name="DataType">Type of weights and activations: <c>bf16</c> or <c>fp32</c>.</param>
/// <param name="Device">Where the engine runs: <c>cpu</c> or <c>cuda</c>.</param>
/// <param name="BatchSize">Most sequences that run at once.</param>
/// <param name="DefaultPolicy">Policy of requests that name none.</param>
public sealed record EngineDescription(
    string Target,
    string? Draft,
    int ContextLength,
    int VocabularySize,
    string DataType,
    string Device,
    int BatchSize,
    string DefaultPolicy
)
{
    /// <summary>Where the proposals of requests that don't say come from.</summary>
    public Proposer DefaultProposer { get; init; }

    /// <summary>Threads that share a pass on CPUs.</summary>
    public int Threads { get; init; }

    /// <summary>What passes cost here; null where that was not measured: without anybody to propose, without the cost guard.</summary>
    public EngineCosts? Costs { get; init; }

    /// <summary>What multiplies on a CPU, and why, in words; null on GPUs.</summary>
    public string? Kernels { get; init; }

    /// <summary>What holds for requests that leave it open; none unless the engine is asked to take the model's.</summary>
    public GenerationDefaults Defaults { get; init; } = GenerationDefaults.None;

    /// <summary>What is odd about the model folders and was worked with all the same, in sentences for people.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>
    /// Whether there is what a request needs to propose by its policy and proposer, null for the defaults: without a draft model only
    /// lookup proposes, and only plain decoding needs nobody to.
    /// </summary>
    public bool CanPropose(PolicyConfiguration? policy, Proposer? proposer) =>
        Draft is not null
        || (proposer ?? DefaultProposer) == Proposer.Lookup
        || (policy ?? PolicyConfiguration.Parse(DefaultPolicy)).Kind == PolicyKind.Autoregressive;
}
