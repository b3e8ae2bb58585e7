using Dsde.Speculation;

namespace Dsde.Speculation.Tests;

/// <summary>Makes policies under test by name.</summary>
internal static class Policies
{
    public static ISpeculationPolicy Create(string name, int maxLength) => PolicyFactory.Create(PolicyConfiguration.Parse(name), maxLength);
}
