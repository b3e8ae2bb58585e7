using Dsde.Engine.Sampling;
using Dsde.Grammars;
using Dsde.Speculation;
using Dsde.Speculation.Guarding;

namespace Dsde.Engine;

/// <summary>One prompt and how to continue it.</summary>
public sealed record GenerationRequest
{
    /// <summary>The prompt; at least one id, and fewer than the context holds.</summary>
    public required IReadOnlyList<int> PromptTokenIds { get; init; }

    /// <summary>Most tokens to emit, at least 1. The context may end the output earlier.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>How tokens are drawn.</summary>
    public SamplingParameters Sampling { get; init; } = new();

    /// <summary>The output ends before the first occurrence of any of these; none is empty.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>
    /// Tokens that end the output, besides the model's own end tokens; the one that did is the last of the output's ids and not in its
    /// text.
    /// </summary>
    public IReadOnlyList<int> StopTokenIds { get; init; } = [];

    /// <summary>Whether the model's end tokens are taken for ordinary ones. <see cref="StopTokenIds"/> still end the output.</summary>
    public bool IgnoreEos { get; init; }

    /// <summary>
    /// What the output is held to; null for nothing. Every token is chosen among those that it allows, end tokens only where it may end;
    /// the
    /// output ends where nothing else can follow. Not with <see cref="IgnoreEos"/>.
    /// </summary>
    public Grammar? Grammar { get; init; }

    /// <summary>How many of the most probable tokens, with their log-probabilities, are reported at each position; 0 to 20.</summary>
    public int TopLogProbabilityCount { get; init; }

    /// <summary>The request is not started after this moment, and ends at it with what there is; null for no limit.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>What chooses the speculation length; null for the engine's default.</summary>
    public PolicyConfiguration? Policy { get; init; }

    /// <summary>Where proposals come from; null for the engine's default.</summary>
    public Proposer? Proposer { get; init; }

    /// <summary>
    /// The kind of request, as a label of the caller's choice: acceptance is learned per label; null for none.
    /// </summary>
    public string? Workload { get; init; }

    /// <summary>
    /// Requests of higher priority enter the batch first; a level is worth <see cref="EngineOptions.PriorityAgeingSeconds"/> of waiting, so
    /// that nobody waits for ever. Equal ones enter in order of arrival.
    /// </summary>
    public int Priority { get; init; }

    /// <summary>For ending the request early and for checkpoints; null if neither is wanted.</summary>
    public GenerationControl? Control { get; init; }

    /// <summary>
    /// Where an earlier run of the same request stopped; null to begin. <see cref="MaxTokens"/> counts from the beginning.
    /// </summary>
    public SequenceCheckpoint? ResumeFrom { get; init; }

    /// <summary>
    /// Whether the output is walked over to learn where the draft is right: no token of the target's own is committed behind an accepted
    /// proposal, so that the next iteration begins at the draft's mistake, or at the token that ends the output, and shows all that stands
    /// behind it. The output is the same, in greedy and coupled sampling; it takes more iterations. Its policy should be <c>static:64</c>,
    /// which proposes as much as it may.
    /// </summary>
    public bool IsSurvey { get; init; }

    /// <summary>Whose acceptance its own is expected to be like.</summary>
    internal AcceptanceKind AcceptanceKind => new(Workload, Sampling.IsGreedy, Sampling.BetaIsTheChance && Grammar is null);
}
