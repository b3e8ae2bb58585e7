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

/// <summary>Who a worker is, and what it has loaded.</summary>
internal sealed record StatusWorker
{
    /// <summary>Its id; null until it works.</summary>
    public string? Id { get; init; }

    /// <summary>When its process began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The program's version.</summary>
    public required string Version { get; init; }

    /// <summary>Aliases that it serves.</summary>
    public required IReadOnlyList<string> Models { get; init; }

    /// <summary>The target's folder name; null until it is loaded.</summary>
    public string? Target { get; init; }

    /// <summary>The draft's; null without one.</summary>
    public string? Draft { get; init; }

    /// <summary>Policy of jobs that name none.</summary>
    public string? Policy { get; init; }

    /// <summary>Proposer of jobs that name none.</summary>
    public string? Proposer { get; init; }

    /// <summary>Where the engine runs.</summary>
    public string? Device { get; init; }

    /// <summary>Type of weights and activations.</summary>
    public string? DataType { get; init; }

    /// <summary>Threads that share a pass on CPUs.</summary>
    public int? Threads { get; init; }
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

/// <summary>A job that the worker has claimed.</summary>
/// <param name="Id">The job.</param>
/// <param name="Since">When it was claimed.</param>
/// <param name="IsCancelRequested">Whether it is to end with what there is.</param>
/// <param name="OutputCount">Its outputs; none until the engine has them.</param>
/// <param name="Outputs">Of these the first.</param>
internal sealed record StatusJob(
    Guid Id,
    DateTimeOffset Since,
    bool IsCancelRequested,
    int OutputCount,
    IReadOnlyList<StatusOutput> Outputs
);

/// <summary>How far an output is.</summary>
/// <param name="Phase"><c>waiting</c>, <c>prefill</c>, <c>decoding</c> or <c>ended</c>.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="Tokens">Tokens so far.</param>
/// <param name="MostTokens">Tokens that it may have.</param>
/// <param name="Proposed">Tokens proposed so far.</param>
/// <param name="Accepted">Of these, accepted and kept.</param>
/// <param name="Length">Tokens proposed in the latest iteration; null before the first.</param>
internal sealed record StatusOutput(string Phase, int PromptTokens, int Tokens, int MostTokens, int Proposed, int Accepted, int? Length);

/// <summary>A job that has ended here.</summary>
/// <param name="Id">The job.</param>
/// <param name="Outcome"><c>completed</c>, <c>failed</c> or <c>cancelled</c>.</param>
/// <param name="FailureCode">Why it failed; null if it did not.</param>
/// <param name="At">When.</param>
/// <param name="Tokens">Of all its outputs.</param>
/// <param name="Proposed">Tokens proposed.</param>
/// <param name="Accepted">Of these, accepted and kept.</param>
/// <param name="EngineMs">Time in the engine, in milliseconds; null if it was not there.</param>
internal sealed record StatusEnd(
    Guid Id,
    string Outcome,
    string? FailureCode,
    DateTimeOffset? At,
    int Tokens,
    int Proposed,
    int Accepted,
    double? EngineMs
);
