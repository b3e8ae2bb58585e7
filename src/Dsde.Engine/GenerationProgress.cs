namespace Dsde.Engine;

/// <summary>How far a request is. Counts go on where an earlier run of it stopped.</summary>
/// <param name="Phase">What is being done for it.</param>
/// <param name="PromptTokens">Tokens of its prompt.</param>
/// <param name="Tokens">Tokens of its output so far.</param>
/// <param name="MostTokens">Tokens that its output may have.</param>
/// <param name="Proposed">Tokens proposed so far, by whomever.</param>
/// <param name="Accepted">Of these, accepted and kept.</param>
/// <param name="SpeculationLength">Tokens proposed in its latest iteration; null before the first.</param>
public readonly record struct GenerationProgress(
    GenerationPhase Phase,
    int PromptTokens = 0,
    int Tokens = 0,
    int MostTokens = 0,
    int Proposed = 0,
    int Accepted = 0,
    int? SpeculationLength = null
);
