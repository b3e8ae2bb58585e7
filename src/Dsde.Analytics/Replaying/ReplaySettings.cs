using Dsde.Speculation;

namespace Dsde.Analytics.Replaying;

/// <summary>How the engine is set up that a replay stands for.</summary>
internal sealed record ReplaySettings
{
    /// <summary>Most outputs at once; null for as many as there really were, or 1 where nobody knows.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Upper bound of every length. The default is the engine's.</summary>
    public int MaxSpeculationLength { get; init; } = 10;

    /// <summary>What iterations cost; null for what the database knows of it.</summary>
    public EngineCosts? Costs { get; init; }
}
