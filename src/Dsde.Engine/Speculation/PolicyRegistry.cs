using System.Collections.Concurrent;
using Dsde.Engine.Speculation.Goodput;

namespace Dsde.Engine.Speculation;

/// <summary>One policy per configuration, so that sequences that share a configuration are planned, and capped, together.</summary>
/// <param name="standard">The engine's default.</param>
/// <param name="maxSpeculationLength">Upper bound of every length.</param>
/// <param name="readsDraftSteps">Whether looking at each draft step's results is cheap on the engine's device.</param>
internal sealed class PolicyRegistry(PolicyConfiguration standard, int maxSpeculationLength, bool readsDraftSteps)
{
    private readonly ConcurrentDictionary<PolicyConfiguration, ISpeculationPolicy> _policies = new();

    /// <summary>What the engine's passes cost, for policies that weigh it.</summary>
    public IterationCosts Costs { get; } = new();

    /// <summary>The policy of a configuration; null for the engine's default.</summary>
    public ISpeculationPolicy Find(PolicyConfiguration? configuration) =>
        _policies.GetOrAdd(configuration ?? standard, wanted => PolicyFactory.Create(wanted, maxSpeculationLength, Costs, readsDraftSteps));
}
