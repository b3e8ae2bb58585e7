namespace Dsde.Contracts;

/// <summary>Event: a job will have no output. Repeats carry the same message id.</summary>
public sealed record GenerationJobFailed
{
    /// <summary>The job.</summary>
    public required Guid JobId { get; init; }

    /// <summary>Its batch, if any.</summary>
    public Guid? BatchId { get; init; }

    /// <summary>The submitter's own name for it, if any.</summary>
    public string? CustomId { get; init; }

    /// <summary>One of <see cref="FailureCodes"/>.</summary>
    public required string Code { get; init; }

    /// <summary>What is wrong, in words a person understands: the field, the value and what is allowed.</summary>
    public required string Message { get; init; }

    /// <summary>Whether sending the same job again may succeed.</summary>
    public required bool Retryable { get; init; }

    /// <summary>The submitter's labels.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>When the failure was stored.</summary>
    public required DateTimeOffset FailedAt { get; init; }
}
