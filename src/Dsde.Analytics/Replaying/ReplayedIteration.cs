using Dsde.Speculation;

namespace Dsde.Analytics.Replaying;

/// <summary>An output's part in a replayed iteration.</summary>
/// <param name="Begin">Tokens the output had before.</param>
/// <param name="Proposed">Tokens proposed (k).</param>
/// <param name="Accepted">Tokens accepted (a), also those behind an end.</param>
/// <param name="Plan">What the policy said.</param>
internal readonly record struct ReplayedIteration(int Begin, int Proposed, int Accepted, SpeculationPlan Plan);
