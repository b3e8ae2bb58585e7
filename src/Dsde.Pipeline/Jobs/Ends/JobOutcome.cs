using Dsde.Persistence.Jobs;

namespace Dsde.Pipeline.Jobs.Ends;

/// <summary>What a delivered job came to.</summary>
internal abstract record JobOutcome
{
    private JobOutcome() { }

    /// <summary>It has ended, now or earlier, and its end is stored.</summary>
    /// <param name="Job">With its end.</param>
    /// <param name="IsNew">Whether this delivery brought the end about.</param>
    public sealed record Ended(StoredJob Job, bool IsNew) : JobOutcome
    {
        /// <summary>The job's batch, if this end was that of its last job.</summary>
        public BatchProgress? CompletedBatch { get; init; }

        /// <summary>Why the message is to be kept in the error queue once the end is announced; null if it isn't.</summary>
        public string? DeadLetterReason => JobFailures.DeadLetterReasonOf(Job.Failure);
    }

    /// <summary>Its id stands for another request, which keeps its end.</summary>
    public sealed record Conflict(JobFailure Failure) : JobOutcome;

    /// <summary>Another worker has claimed it, and may be dead: its message is to be looked at again in a while.</summary>
    public sealed record HeldElsewhere : JobOutcome;

    /// <summary>It has not ended: it goes back to the queue, for whoever can run it.</summary>
    public sealed record HandedBack : JobOutcome;
}
