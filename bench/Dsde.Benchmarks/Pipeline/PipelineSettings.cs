namespace Dsde.Benchmarks.Pipeline;

/// <summary>What is measured.</summary>
internal sealed record PipelineSettings
{
    /// <summary>Jobs of a round.</summary>
    public required int JobCount { get; init; }

    /// <summary>Rounds; medians are shown.</summary>
    public required int Rounds { get; init; }

    /// <summary>Jobs that the engine takes at once.</summary>
    public required int Capacity { get; init; }

    /// <summary>Tokens of each output.</summary>
    public required int Tokens { get; init; }
}
