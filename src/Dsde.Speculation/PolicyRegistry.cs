using System.Collections.Concurrent;

namespace Dsde.Speculation;

/// <summary>One policy per configuration, so that sequences that share a configuration are planned, and capped, together.</summary>
/// <param name="standard">The engine's default.</param>
/// <param name="maxSpeculationLength">Upper bound of every length.</param>
internal sealed class PolicyRegistry(PolicyConfiguration standard, int maxSpeculationLength)
{
    private readonly ConcurrentDictionary<PolicyConfiguration, ISpeculationPolicy> _policies = new();

    /// <summary>The policy of a configuration; null for the engine's default.</summary>
    public ISpeculationPolicy Find(PolicyConfiguration? configuration) =>
        _policies.GetOrAdd(configuration ?? standard, wanted => PolicyFactory.Create(wanted, maxSpeculationLength));
}
