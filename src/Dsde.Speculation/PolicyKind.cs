namespace Dsde.Speculation;

/// <summary>The policies there are.</summary>
public enum PolicyKind
{
    /// <summary>Lengths from the stability of the KL divergence, as the paper has it, as far as they pay.</summary>
    Dsde,

    /// <summary>The same whether they pay or not: the paper's rule never looks at cost.</summary>
    DsdePaper,

    /// <summary>That as the paper's authors implemented it.</summary>
    DsdeReference,

    /// <summary>Lengths that end where the draft's entropy makes acceptance doubtful.</summary>
    AdaEdl,

    /// <summary>As much as pays, by profiled costs and observed acceptance.</summary>
    Goodput,

    /// <summary>Always the same length.</summary>
    Static,

    /// <summary>No speculation.</summary>
    Autoregressive,
}
