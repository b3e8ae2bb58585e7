namespace Dsde.Persistence.Analysis;

/// <summary>Which traces are wanted; what is null does not matter.</summary>
public sealed record TraceFilter
{
    /// <summary>Of the jobs of a batch.</summary>
    public Guid? BatchId { get; init; }

    /// <summary>Of the outputs that ran under a policy, with its parameters.</summary>
    public string? Policy { get; init; }

    /// <summary>Of the jobs with a label.</summary>
    public string? Workload { get; init; }

    /// <summary>Of the outputs of a target model, by its name.</summary>
    public string? TargetModel { get; init; }

    /// <summary>Stored at or after it.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Stored before it.</summary>
    public DateTimeOffset? To { get; init; }
}
