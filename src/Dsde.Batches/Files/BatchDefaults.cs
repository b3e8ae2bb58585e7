namespace Dsde.Batches.Files;

/// <summary>What jobs of a file get where their line is silent.</summary>
internal sealed record BatchDefaults
{
    /// <summary>Names the batch; job ids follow from it and the line's <c>custom_id</c>.</summary>
    public required Guid BatchId { get; init; }

    /// <summary>Alias every job is sent under, whatever model its line names; null to take the line's.</summary>
    public string? Model { get; init; }

    /// <summary>Alias of jobs whose line names no model; null to refuse such lines.</summary>
    public string? ModelIfSilent { get; init; }

    /// <summary>Policy of jobs that name none; null for the worker's.</summary>
    public string? Policy { get; init; }

    /// <summary>Proposer of jobs that name none; null for the worker's.</summary>
    public string? Proposer { get; init; }

    /// <summary>Jobs without a seed get this one plus their line number; null to let the worker pick.</summary>
    public long? Seed { get; init; }

    /// <summary>
    /// Whether the file was submitted with defaults that nobody has said now: then a line's model counts for nothing, and what it leaves
    /// open is whatever the stored request has.
    /// </summary>
    public bool AreForgotten { get; init; }
}
