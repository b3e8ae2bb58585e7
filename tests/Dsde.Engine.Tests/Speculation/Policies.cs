using Dsde.Engine.Speculation;

namespace Dsde.Engine.Tests.Speculation;

/// <summary>Makes policies under test by name.</summary>
internal static class Policies
{
    public static ISpeculationPolicy Create(string name, int maxLength) => PolicyFactory.Create(PolicyConfiguration.Parse(name), maxLength);
}
