namespace Dsde.Persistence.Jobs;

/// <summary>What became of a claim.</summary>
public abstract record ClaimResult
{
    private ClaimResult() { }

    /// <summary>The job is the caller's.</summary>
    /// <param name="Lease">Proves it.</param>
    /// <param name="Attempt">How often the job has been started, this time included.</param>
    public sealed record Claimed(JobLease Lease, int Attempt) : ClaimResult
    {
        /// <summary>When the job became known.</summary>
        public required DateTimeOffset CreatedAt { get; init; }

        /// <summary>Where the job is as far as the database knows; who lets it into the engine says so there first.</summary>
        public JobPlace Place { get; init; } = JobPlace.Outside;

        /// <summary>
        /// Starts that were lost since the job last came further: the engine had it, they ended neither in a result nor by a release, and
        /// left no checkpoint further than the one before. Their worker died, or was taken for dead. What was released or had not been let
        /// into the engine (<see cref="JobPlace.Outside"/>) says nothing about the job: it is not counted, and takes nothing back.
        /// </summary>
        public int LostStarts { get; init; }

        /// <summary>Those of them that were lost while the job was alone (<see cref="JobPlace.Alone"/>).</summary>
        public int LostAlone { get; init; }

        /// <summary>How often an end of the job was taken back (<see cref="IJobStore.ReopenAsync"/>).</summary>
        public int Reopenings { get; init; }

        /// <summary>Whether it, or its batch, is to be cancelled: the caller ends it with what there is.</summary>
        public bool IsCancelRequested { get; init; }

        /// <summary>The trace context (W3C traceparent) of the job's first claim, if that had one.</summary>
        public string? TraceParent { get; init; }

        /// <summary>Where its outputs stood when they were last saved, by choice; empty for a job that starts from the beginning.</summary>
        public IReadOnlyList<JobCheckpoint> Checkpoints { get; init; } = [];
    }

    /// <summary>The job has ended already.</summary>
    /// <param name="Job">With its end.</param>
    public sealed record Ended(StoredJob Job) : ClaimResult;

    /// <summary>The id stands for another request.</summary>
    public sealed record Conflict : ClaimResult;

    /// <summary>Another worker has it.</summary>
    /// <param name="Remaining">Until its claim runs out if it is not renewed; more than nothing.</param>
    public sealed record Held(TimeSpan Remaining) : ClaimResult;
}
