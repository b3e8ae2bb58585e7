namespace Dsde.Engine.Benchmarking;

/// <summary>Prompts worked through by the target, without a draft, in passes as the engine makes them.</summary>
/// <param name="SequenceCount">Prompts that are worked through together.</param>
/// <param name="PromptLength">Tokens of each.</param>
/// <param name="TokensPerPass">Tokens of a pass, those of all prompts together.</param>
/// <param name="TokensPerSecond">Of each round.</param>
/// <param name="LinearRatios">Of each round, the time by that of its linear layers alone.</param>
public sealed record PrefillMeasurement(
    int SequenceCount,
    int PromptLength,
    int TokensPerPass,
    IReadOnlyList<double> TokensPerSecond,
    IReadOnlyList<double> LinearRatios
);
