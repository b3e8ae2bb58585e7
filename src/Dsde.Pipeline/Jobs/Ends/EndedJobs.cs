using Dsde.Persistence.Jobs;

namespace Dsde.Pipeline.Jobs.Ends;

/// <summary>The ends that this worker has brought about: how many of each kind, and the latest. Any thread.</summary>
internal sealed class EndedJobs
{
    /// <summary>Ends that are remembered one by one.</summary>
    public const int Remembered = 12;

    private readonly Lock _lock = new();
    private readonly Queue<Ended> _latest = new();
    private readonly long[] _counts = new long[Enum.GetValues<JobState>().Length];

    /// <summary>Notes an end.</summary>
    public void Add(StoredJob job)
    {
        var ended = new Ended(
            job.JobId,
            job.State,
            job.Failure?.Code,
            job.EndedAt,
            job.Outputs.Sum(output => output.CompletionTokens),
            job.Traces.Sum(trace => trace.Proposed),
            job.Traces.Sum(trace => trace.Accepted),
            job.Traces.Count > 0 ? job.Traces.Max(trace => trace.TotalMs) : null
        );
        lock (_lock)
        {
            _counts[(int)job.State]++;
            _latest.Enqueue(ended);
            while (_latest.Count > Remembered)
            {
                _latest.Dequeue();
            }
        }
    }

    /// <summary>How many ended like that.</summary>
    public long Count(JobState state)
    {
        lock (_lock)
        {
            return _counts[(int)state];
        }
    }

    /// <summary>The latest, the last one first.</summary>
    public IReadOnlyList<Ended> Latest
    {
        get
        {
            lock (_lock)
            {
                return [.. _latest.Reverse()];
            }
        }
    }

    /// <summary>An end in numbers.</summary>
    /// <param name="JobId">The job.</param>
    /// <param name="State">What it came to.</param>
    /// <param name="FailureCode">Why it failed; null if it did not.</param>
    /// <param name="At">When, by the database's clock.</param>
    /// <param name="Tokens">Of all its outputs.</param>
    /// <param name="Proposed">Tokens proposed.</param>
    /// <param name="Accepted">Of these, accepted and kept.</param>
    /// <param name="EngineMs">Time that its longest output took in the engine, in milliseconds; null if none was there.</param>
    public sealed record Ended(
        Guid JobId,
        JobState State,
        string? FailureCode,
        DateTimeOffset? At,
        int Tokens,
        int Proposed,
        int Accepted,
        double? EngineMs
    );
}
