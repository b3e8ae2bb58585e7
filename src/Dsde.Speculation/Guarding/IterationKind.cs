namespace Dsde.Speculation.Guarding;

/// <summary>Iterations that differ in what they cost beside the rows of their passes.</summary>
internal enum IterationKind
{
    /// <summary>Nothing is proposed.</summary>
    Plain,

    /// <summary>All proposals come from lookup, or are forced by a grammar: rows of the target, and no draft pass.</summary>
    LookingUp,

    /// <summary>The draft proposes, for all sequences or for some.</summary>
    Drafting,
}
