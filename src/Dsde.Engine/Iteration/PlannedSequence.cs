using Dsde.Engine.Sequences;
using Dsde.Speculation;

namespace Dsde.Engine.Iteration;

/// <summary>A sequence's part in one iteration.</summary>
/// <param name="Sequence">The sequence.</param>
/// <param name="Plan">Carries the length that is really proposed, behind what is forced.</param>
internal readonly record struct PlannedSequence(Sequence Sequence, SpeculationPlan Plan)
{
    /// <summary>
    /// The tokens that its grammar forces next: they need nobody to guess them, and stand before all others in its block.
    /// </summary>
    public IReadOnlyList<int> Forced { get; init; } = [];

    /// <summary>What lookup has found behind these; null for nothing, or if it is not used.</summary>
    public LookupMatch? Match { get; init; }

    /// <summary>Whether the proposals are those of lookup.</summary>
    public bool IsLookedUp { get; init; }

    /// <summary>Tokens in its block, whoever proposes them: it has a row for each in the target's pass, and one more.</summary>
    public int BlockLength => Forced.Count + Plan.Length;

    /// <summary>Tokens that the draft proposes.</summary>
    public int DraftedLength => IsLookedUp ? 0 : Plan.Length;

    /// <summary>Who proposes what is not forced.</summary>
    public ProposedBy ProposedBy =>
        Plan.Length == 0 ? ProposedBy.Nobody
        : IsLookedUp ? ProposedBy.Lookup
        : ProposedBy.Draft;

    /// <summary>What is forced, and the proposals of lookup where it makes them.</summary>
    public int[] Known() =>
        IsLookedUp && Match is { } match ? [.. Forced, .. match.Propose(Sequence.WithAssumed(Forced), Plan.Length)] : [.. Forced];
}
