namespace Dsde.Speculation;

/// <summary>Who made a sequence's proposals in an iteration. The numbers are stored.</summary>
public enum ProposedBy
{
    /// <summary>Nobody: there were none.</summary>
    Nobody = 0,

    /// <summary>The draft model.</summary>
    Draft = 1,

    /// <summary>Prompt lookup.</summary>
    Lookup = 2,
}
