using Dsde.Persistence.Jobs;

namespace Dsde.Worker.Jobs;

/// <summary>What a delivered job came to.</summary>
internal abstract record JobOutcome
{
    private JobOutcome()
    {
    }

    /// <summary>It has ended, now or earlier, and its end is stored.</summary>
    /// <param name="Job">With its end.</param>
    /// <param name="IsNew">Whether this delivery brought the end about.</param>
    public sealed record Ended(StoredJob Job, bool IsNew) : JobOutcome;

    /// <summary>Its id stands for another request, which keeps its end.</summary>
    public sealed record Conflict(JobFailure Failure) : JobOutcome;

    /// <summary>The worker shuts down: the job goes back to the queue.</summary>
    public sealed record HandedBack : JobOutcome;
}
