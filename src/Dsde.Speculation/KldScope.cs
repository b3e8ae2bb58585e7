namespace Dsde.Speculation;

/// <summary>Which proposals' KLDs the policy looks at.</summary>
public enum KldScope
{
    /// <summary>All of them, also those after the first rejection.</summary>
    AllProposed,

    /// <summary>Up to and including the first rejection: those whose prefix was really emitted.</summary>
    OnPath,
}
