using Dsde.Engine.Sequences;
using Dsde.Speculation;

namespace Dsde.Engine.Iteration;

/// <summary>A sequence's part in one iteration.</summary>
/// <param name="Sequence">The sequence.</param>
/// <param name="Plan">Carries the length that is really proposed.</param>
internal readonly record struct PlannedSequence(Sequence Sequence, SpeculationPlan Plan)
{
    /// <summary>What lookup has found; null for nothing, or if it is not used.</summary>
    public LookupMatch? Match { get; init; }

    /// <summary>Whether the proposals are those of lookup.</summary>
    public bool IsLookedUp { get; init; }

    /// <summary>Tokens that the draft proposes.</summary>
    public int DraftedLength => IsLookedUp ? 0 : Plan.Length;

    /// <summary>Who proposes.</summary>
    public ProposedBy ProposedBy =>
        Plan.Length == 0 ? ProposedBy.Nobody
        : IsLookedUp ? ProposedBy.Lookup
        : ProposedBy.Draft;

    /// <summary>The proposals of lookup; empty where there are none.</summary>
    public int[] LookedUp() => IsLookedUp && Match is { } match ? match.Propose(Sequence.TokenSpan, Plan.Length) : [];
}
