namespace Dsde.Engine.Iteration;

/// <summary>Counts of one iteration over its whole batch.</summary>
/// <param name="Sequences">Sequences that took part.</param>
/// <param name="Proposed">Tokens proposed, by the draft or by lookup.</param>
/// <param name="Accepted">Of these, accepted and kept.</param>
/// <param name="Forced">Tokens that grammars forced, proposed without a model, and kept; neither among those proposed nor accepted.</param>
/// <param name="Emitted">Tokens committed.</param>
/// <param name="DraftRowsWithoutNumbers">Rows of the draft whose logits are no numbers.</param>
internal readonly record struct IterationSummary(
    int Sequences,
    int Proposed,
    int Accepted,
    int Forced,
    int Emitted,
    int DraftRowsWithoutNumbers
);
