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

    /// <summary>Behind it, in the order in which they are read.</summary>
    public TracePlace? After { get; init; }

    /// <summary>
    /// A sample: of <see cref="SampleOf"/> equal parts of all jobs, told apart by the last two digits of their ids, so many. The jobs of a
    /// smaller sample are also in every larger one.
    /// </summary>
    /// <value>1 to <see cref="SampleOf"/>, which is all.</value>
    public int Sample { get; init; } = SampleOf;

    /// <summary>Parts.</summary>
    public const int SampleOf = 256;
}
