namespace Dsde.Pipeline.Hosting.Status;

/// <summary>Who a worker is, and what it has loaded.</summary>
internal sealed record StatusWorker
{
    /// <summary>Its id; null until it works.</summary>
    public string? Id { get; init; }

    /// <summary>When its process began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The program's version.</summary>
    public required string Version { get; init; }

    /// <summary>Aliases that it serves.</summary>
    public required IReadOnlyList<string> Models { get; init; }

    /// <summary>The target's folder name; null until it is loaded.</summary>
    public string? Target { get; init; }

    /// <summary>The draft's; null without one.</summary>
    public string? Draft { get; init; }

    /// <summary>Policy of jobs that name none.</summary>
    public string? Policy { get; init; }

    /// <summary>Proposer of jobs that name none.</summary>
    public string? Proposer { get; init; }

    /// <summary>Where the engine runs.</summary>
    public string? Device { get; init; }

    /// <summary>Type of weights and activations.</summary>
    public string? DataType { get; init; }

    /// <summary>Threads that share a pass on CPUs.</summary>
    public int? Threads { get; init; }
}
