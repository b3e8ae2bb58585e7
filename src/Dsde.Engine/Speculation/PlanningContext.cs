namespace Dsde.Engine.Speculation;

/// <summary>What a policy is told of the iteration it plans, apart from its sequences' states.</summary>
public readonly ref struct PlanningContext
{
    /// <summary>
    /// Most tokens each sequence may propose, by what is left of the request, the KV space and the engine's bound. <c>[n]</c>
    /// </summary>
    public required ReadOnlySpan<int> MaxLengths { get; init; }

    /// <summary>
    /// Tokens of each sequence that the draft has not read, at least 1: they go through it before the first proposal. <c>[n]</c>
    /// </summary>
    public required ReadOnlySpan<int> DraftLags { get; init; }

    /// <summary>Lengths of the batch's other sequences, as far as their policies have planned them.</summary>
    public required ReadOnlySpan<int> OtherLengths { get; init; }
}
