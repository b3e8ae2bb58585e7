namespace Dsde.Persistence.Entities;

/// <summary>
/// A row of <c>earlier_attempts</c>: a start of a job that was not its last. The last one is the job's own row, so that jobs that end at
/// their first attempt, which are nearly all, have none here.
/// </summary>
internal sealed class EarlierAttempt
{
    public Guid JobId { get; init; }

    public int Reopenings { get; init; }

    public int Attempt { get; init; }

    public string? WorkerId { get; init; }

    public Guid? WorkerStartId { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary><c>handed_back</c>, <c>lost</c> or <c>failed</c>.</summary>
    public string Outcome { get; init; } = "";

    public int TokensAtStart { get; init; }

    /// <summary>Whether the engine had it; null if it ended the job.</summary>
    public bool? IsStarted { get; init; }

    public string? FailureCode { get; init; }
}
