namespace Dsde.Speculation;

/// <summary>A draft step that has just been made, for those sequences of one policy that may go on.</summary>
public readonly ref struct DraftedStep
{
    /// <summary>Tokens that each has proposed so far, this step's included; at least 1.</summary>
    public required int Proposed { get; init; }

    /// <summary>The sequences' states. <c>[n]</c></summary>
    public required ReadOnlySpan<ISequencePolicyState> States { get; init; }

    /// <summary>Entropy of the raw draft distribution that each proposal of the step came from, in nats. <c>[n]</c></summary>
    public required ReadOnlySpan<float> Entropy { get; init; }
}
