namespace Dsde.Pipeline.Hosting.Status;

/// <summary>What the status page is told of a worker every second: ids, names of the settings and numbers, never a text of a job.</summary>
internal sealed record StatusReport
{
    /// <summary>Who it is, and what it has loaded.</summary>
    public required StatusWorker Worker { get; init; }

    /// <summary>Whether it takes jobs.</summary>
    public required bool IsReady { get; init; }

    /// <summary>Whether it has been told to stop.</summary>
    public required bool IsStopping { get; init; }

    /// <summary>Why it is ready or not, by what was looked at.</summary>
    public required IReadOnlyList<StatusCheck> Checks { get; init; }

    /// <summary>How its engine stands; null as long as it has none.</summary>
    public required StatusSample? Now { get; init; }

    /// <summary>Most sequences that may run at once now.</summary>
    public int Limit { get; init; }

    /// <summary>Blocks for keys and values of the target.</summary>
    public int KvBlocks { get; init; }

    /// <summary>Sequences that had to make room for others, since the start.</summary>
    public long Suspensions { get; init; }

    /// <summary>Times the device ran out of memory, since the start.</summary>
    public long OutOfMemory { get; init; }

    /// <summary>Whether the cost guard expects speculation to pay; null where nothing is guarded.</summary>
    public bool? IsSpeculating { get; init; }

    /// <summary>The queues that it takes jobs from; null while the broker can't be asked.</summary>
    public IReadOnlyList<StatusQueue>? Queues { get; init; }

    /// <summary>Messages of jobs that wait for another worker's claim, of all workers.</summary>
    public int HeldElsewhere { get; init; }

    /// <summary>Jobs claimed, of which <see cref="Jobs"/> may have only the first.</summary>
    public int JobCount { get; init; }

    /// <summary>Jobs claimed, the longest held first.</summary>
    public IReadOnlyList<StatusJob> Jobs { get; init; } = [];

    /// <summary>Jobs that were completed here.</summary>
    public long Completed { get; init; }

    /// <summary>Jobs that failed here.</summary>
    public long Failed { get; init; }

    /// <summary>Jobs that were called off, or expired, here.</summary>
    public long Cancelled { get; init; }

    /// <summary>The latest ends, the last one first.</summary>
    public IReadOnlyList<StatusEnd> Ends { get; init; } = [];
}

/// <summary>Something that was looked at.</summary>
/// <param name="Name">What.</param>
/// <param name="Status"><c>Healthy</c>, <c>Degraded</c> or <c>Unhealthy</c>.</param>
/// <param name="Text">What there is to say of it; null for nothing.</param>
internal sealed record StatusCheck(string Name, string Status, string? Text);

/// <summary>A queue.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Ready">Messages that no worker has been given.</param>
internal sealed record StatusQueue(string Name, long Ready);
