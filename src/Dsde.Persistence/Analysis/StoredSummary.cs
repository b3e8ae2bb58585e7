using Dsde.Persistence.Jobs;

namespace Dsde.Persistence.Analysis;

/// <summary>An output of an ended job without its series: what fits into memory by the hundred thousand.</summary>
public sealed record StoredSummary
{
    /// <summary>The job.</summary>
    public required Guid JobId { get; init; }

    /// <summary>Which of its outputs, from 0.</summary>
    public required int Choice { get; init; }

    /// <summary>The submitter's own name for the job.</summary>
    public string? CustomId { get; init; }

    /// <summary>The label of the job.</summary>
    public string? Workload { get; init; }

    /// <summary>The worker that ran it.</summary>
    public required string WorkerId { get; init; }

    /// <summary>When it was sent, by the sender's clock; null if the message did not say.</summary>
    public DateTimeOffset? SubmittedAt { get; init; }

    /// <summary>When a worker first saw it; null once the job is gone.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>When its end was stored.</summary>
    public required DateTimeOffset StoredAt { get; init; }

    /// <summary>The figures.</summary>
    public required TraceSummary Trace { get; init; }
}
