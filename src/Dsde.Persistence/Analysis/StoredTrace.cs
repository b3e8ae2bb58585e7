using Dsde.Persistence.Jobs;

namespace Dsde.Persistence.Analysis;

/// <summary>The trace of an output of a completed job, with what is known of the job.</summary>
public sealed record StoredTrace
{
    /// <summary>The job.</summary>
    public required Guid JobId { get; init; }

    /// <summary>Which of its outputs, from 0.</summary>
    public required int Choice { get; init; }

    /// <summary>Its batch; null for a job on its own.</summary>
    public Guid? BatchId { get; init; }

    /// <summary>The submitter's own name for the job.</summary>
    public string? CustomId { get; init; }

    /// <summary>The label of the job.</summary>
    public string? Workload { get; init; }

    /// <summary>The request in canonical JSON, without the prompt where prompts are not stored; null once it was erased.</summary>
    public string? Request { get; init; }

    /// <summary>What ended the output: <c>stop</c> or <c>length</c>.</summary>
    public string? FinishReason { get; init; }

    /// <summary>The worker that ran it.</summary>
    public required string WorkerId { get; init; }

    /// <summary>Which start of that worker.</summary>
    public Guid? WorkerStartId { get; init; }

    /// <summary>When it was stored.</summary>
    public required DateTimeOffset StoredAt { get; init; }

    /// <summary>The telemetry.</summary>
    public required JobTrace Trace { get; init; }
}
