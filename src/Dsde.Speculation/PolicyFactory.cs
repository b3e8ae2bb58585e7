using System.Diagnostics;

namespace Dsde.Speculation;

/// <summary>Makes policies from their configurations: the one place where they are registered.</summary>
internal static class PolicyFactory
{
    /// <summary>A policy whose lengths never exceed the given one.</summary>
    /// <param name="configuration">Which policy.</param>
    /// <param name="maxSpeculationLength">Upper bound of every length, at least 1.</param>
    /// <param name="paper">The numbers of the paper's rule; null for the paper's own. Experiments give others.</param>
    public static ISpeculationPolicy Create(PolicyConfiguration configuration, int maxSpeculationLength, DsdeOptions? paper = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxSpeculationLength, 1);
        return configuration.Kind switch
        {
            PolicyKind.Dsde => CreateDsde(configuration, (paper ?? DsdeOptions.Paper) with { IsGuarded = true }, maxSpeculationLength),
            PolicyKind.DsdePaper => CreateDsde(configuration, paper ?? DsdeOptions.Paper, maxSpeculationLength),
            PolicyKind.DsdeReference => CreateDsde(configuration, DsdeOptions.Reference, maxSpeculationLength),
            PolicyKind.AdaEdl => new AdaEdlPolicy(
                configuration.ToString(),
                Math.Min(configuration.AdaEdlLength, maxSpeculationLength),
                configuration.StopsWholeBatch
            ),
            PolicyKind.Goodput => new StaticPolicy(configuration.ToString(), maxSpeculationLength, isGuarded: true),
            PolicyKind.Static => new StaticPolicy(configuration.ToString(), Math.Min(configuration.StaticLength, maxSpeculationLength)),
            PolicyKind.Autoregressive => new StaticPolicy(configuration.ToString(), 0),
            _ => throw new UnreachableException($"No policy is registered for {configuration.Kind}."),
        };
    }

    private static DsdePolicy CreateDsde(PolicyConfiguration configuration, DsdeOptions variant, int maxSpeculationLength) =>
        new(
            configuration.ToString(),
            variant with
            {
                CapEnabled = configuration.CapEnabled,
                Scope = configuration.Scope,
            },
            maxSpeculationLength
        );
}
