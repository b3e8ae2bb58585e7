namespace Dsde.Engine;

/// <summary>A token and how probable it was.</summary>
/// <param name="TokenId">The token.</param>
/// <param name="LogProbability">Under the target, in nats, at temperature 1, before penalties and truncation.</param>
public readonly record struct TokenLogProbability(int TokenId, float LogProbability);
