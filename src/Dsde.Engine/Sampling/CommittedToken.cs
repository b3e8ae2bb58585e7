namespace Dsde.Engine.Sampling;

/// <summary>One token of an output and what is recorded of it.</summary>
/// <param name="TokenId">The token.</param>
/// <param name="LogProbability">Under the target, in nats, from raw logits.</param>
/// <param name="Margin">Distance between the two best perturbed scores.</param>
/// <param name="DraftMatch">Whether the draft would have chosen it: 1 yes, 0 no, −1 not known.</param>
/// <param name="MostProbable">The most probable tokens at its position, best first; empty unless the request asks for them.</param>
internal readonly record struct CommittedToken(
    int TokenId,
    float LogProbability,
    float Margin,
    sbyte DraftMatch,
    IReadOnlyList<TokenLogProbability> MostProbable
);
