namespace Dsde.Persistence.Jobs;

/// <summary>A worker's wish to run a job.</summary>
public sealed record JobClaim
{
    /// <summary>The job.</summary>
    public required Guid JobId { get; init; }

    /// <summary>Its batch, if any.</summary>
    public Guid? BatchId { get; init; }

    /// <summary>The submitter's own name for it, if any.</summary>
    public string? CustomId { get; init; }

    /// <summary>SHA-256 of <see cref="Request"/>: another request under the same id is a conflict.</summary>
    public required byte[] RequestHash { get; init; }

    /// <summary>The request in canonical JSON.</summary>
    public required string Request { get; init; }

    /// <summary>Alias of the model.</summary>
    public required string Model { get; init; }

    /// <summary>The group it belongs to in reports, if any.</summary>
    public string? Workload { get; init; }

    /// <summary>Who wants to run it; unique among living workers.</summary>
    public required string WorkerId { get; init; }

    /// <summary>How long the claim holds unless it is renewed.</summary>
    public required TimeSpan Lease { get; init; }
}
