namespace Dsde.Persistence.Jobs;

/// <summary>What became of a claim.</summary>
public abstract record ClaimResult
{
    private ClaimResult()
    {
    }

    /// <summary>The job is the caller's.</summary>
    /// <param name="LeaseToken">Proves it when the end is stored.</param>
    /// <param name="Attempt">How often the job has been started, this time included.</param>
    public sealed record Claimed(Guid LeaseToken, int Attempt) : ClaimResult;

    /// <summary>The job has ended already.</summary>
    /// <param name="Job">With its end.</param>
    public sealed record Ended(StoredJob Job) : ClaimResult;

    /// <summary>The id stands for another request.</summary>
    public sealed record Conflict : ClaimResult;

    /// <summary>Another worker has it.</summary>
    /// <param name="Until">When its claim runs out if it is not renewed.</param>
    public sealed record Held(DateTimeOffset Until) : ClaimResult;
}
