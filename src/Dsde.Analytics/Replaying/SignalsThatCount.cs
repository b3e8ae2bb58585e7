using Dsde.Speculation;

namespace Dsde.Analytics.Replaying;

/// <summary>Which measurements of verified proposals a policy looks at.</summary>
internal enum SignalsThatCount
{
    /// <summary>None.</summary>
    None,

    /// <summary>Those up to the first rejection.</summary>
    OnPath,

    /// <summary>All.</summary>
    All,
}

/// <summary>What is to be known of policies besides what they say themselves.</summary>
internal static class PolicyNeeds
{
    /// <summary>Which measurements it looks at after verification.</summary>
    public static SignalsThatCount Of(PolicyConfiguration policy) =>
        policy.Kind is not (PolicyKind.Dsde or PolicyKind.DsdePaper or PolicyKind.DsdeReference) ? SignalsThatCount.None
        : policy.Scope == KldScope.OnPath ? SignalsThatCount.OnPath
        : SignalsThatCount.All;

    /// <summary>Whether what it does with an output depends on what runs beside that.</summary>
    public static bool LooksAtBatch(PolicyConfiguration policy) =>
        policy
            is { Kind: PolicyKind.Dsde or PolicyKind.DsdePaper or PolicyKind.DsdeReference, CapEnabled: true }
                or { StopsWholeBatch: true };
}
