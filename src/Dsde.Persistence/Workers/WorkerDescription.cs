namespace Dsde.Persistence.Workers;

/// <summary>What a worker says of itself when it comes.</summary>
public sealed record WorkerDescription
{
    /// <summary>This start of it, which no other start shares.</summary>
    public required Guid StartId { get; init; }

    /// <summary>Who it is; unique among living workers.</summary>
    public required string WorkerId { get; init; }

    /// <summary>The machine it is on.</summary>
    public required string Host { get; init; }

    /// <summary>The program's version.</summary>
    public required string Version { get; init; }

    /// <summary>Aliases of the models it serves.</summary>
    public required IReadOnlyList<string> Models { get; init; }

    /// <summary>Name of the target model.</summary>
    public required string TargetModel { get; init; }

    /// <summary>Name of the draft model; null without one.</summary>
    public string? DraftModel { get; init; }

    /// <summary>Policy of jobs that name none.</summary>
    public required string Policy { get; init; }

    /// <summary>Where its engine runs, for example <c>cpu</c>.</summary>
    public required string Device { get; init; }

    /// <summary>Type of weights and activations.</summary>
    public required string DataType { get; init; }

    /// <summary>Threads that share a pass on CPUs.</summary>
    public required int Threads { get; init; }

    /// <summary>What multiplies on a CPU, and why, in words; null on GPUs.</summary>
    public string? Kernels { get; init; }

    /// <summary>Sequences it runs at once, at most.</summary>
    public required int BatchSize { get; init; }

    /// <summary>What passes cost there, as JSON; null if that was not measured.</summary>
    public string? CostProfile { get; init; }
}
