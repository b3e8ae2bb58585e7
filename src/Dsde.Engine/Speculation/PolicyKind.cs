namespace Dsde.Engine.Speculation;

/// <summary>The policies there are.</summary>
public enum PolicyKind
{
    /// <summary>Lengths from the stability of the KL divergence, as the paper has it.</summary>
    Dsde,

    /// <summary>The same as the paper's authors implemented it.</summary>
    DsdeReference,

    /// <summary>Lengths that end where the draft's entropy makes acceptance doubtful.</summary>
    AdaEdl,

    /// <summary>
    /// Lengths that promise the most tokens per second, by measured costs and acceptance; none where speculation doesn't pay.
    /// </summary>
    Goodput,

    /// <summary>Always the same length.</summary>
    Static,

    /// <summary>No speculation.</summary>
    Autoregressive,
}
