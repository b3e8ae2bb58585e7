using Dsde.Engine.Telemetry;

namespace Dsde.Engine;

/// <summary>The end of a request.</summary>
public sealed record GenerationResult
{
    /// <summary>The output, cut before the stop string if one ended it.</summary>
    public required string Text { get; init; }

    /// <summary>Every committed token, in order; an end-of-text token that ended the output is the last of them.</summary>
    public required IReadOnlyList<int> TokenIds { get; init; }

    /// <summary>
    /// Log-probability of each token under the target, in nats, from the raw logits: at temperature 1, before penalties, bias and
    /// truncation. One per token id.
    /// </summary>
    public required IReadOnlyList<float> TokenLogProbabilities { get; init; }

    /// <summary>
    /// At each token's position the <see cref="GenerationRequest.TopLogProbabilityCount"/> most probable tokens, best first, as
    /// <see cref="TokenLogProbabilities"/> has them; empty if the request asks for none.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<TokenLogProbability>> TopLogProbabilities { get; init; } = [];

    /// <summary>What ended the output.</summary>
    public required FinishReason FinishReason { get; init; }

    /// <summary>Continues an output that ended as <see cref="FinishReason.Suspended"/>; null otherwise.</summary>
    public SequenceCheckpoint? Checkpoint { get; init; }

    /// <summary>What happened on the way.</summary>
    public required GenerationTrace Trace { get; init; }
}
