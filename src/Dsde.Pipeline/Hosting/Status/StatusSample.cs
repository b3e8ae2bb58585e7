using Dsde.Engine;

namespace Dsde.Pipeline.Hosting.Status;

/// <summary>An engine at a moment, in counts since its start: whoever wants a rate or a share divides the differences of two.</summary>
internal sealed record StatusSample
{
    /// <summary>The moment.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Tokens emitted and kept.</summary>
    public required long Emitted { get; init; }

    /// <summary>Tokens proposed.</summary>
    public required long Proposed { get; init; }

    /// <summary>Of these, accepted and kept.</summary>
    public required long Accepted { get; init; }

    /// <summary>Prompt tokens admitted.</summary>
    public required long PromptTokens { get; init; }

    /// <summary>How often an output has proposed no token in an iteration, one, two and so on.</summary>
    public required IReadOnlyList<long> Lengths { get; init; }

    /// <summary>How often policy, guard, hold-out and catch-up were decisive for these, in this order.</summary>
    public required IReadOnlyList<long> Decisions { get; init; }

    /// <summary>Sequences in the batch.</summary>
    public required int Running { get; init; }

    /// <summary>Requests waiting for a slot.</summary>
    public required int Waiting { get; init; }

    /// <summary>Blocks for keys and values that somebody holds.</summary>
    public required int KvBlocksUsed { get; init; }

    /// <summary>Messages in the worker's queues; null if the broker was not asked lately, or away.</summary>
    public required long? Queued { get; init; }

    /// <summary>Of an engine's counters.</summary>
    public static StatusSample Of(EngineSnapshot snapshot, long? queued, DateTimeOffset at) =>
        new()
        {
            At = at,
            Emitted = snapshot.Emitted,
            Proposed = snapshot.Proposed,
            Accepted = snapshot.Accepted,
            PromptTokens = snapshot.PromptTokens,
            Lengths = snapshot.Lengths,
            Decisions = snapshot.Decisions,
            Running = snapshot.Running,
            Waiting = snapshot.Waiting,
            KvBlocksUsed = snapshot.KvBlocks - snapshot.KvBlocksFree,
            Queued = queued,
        };
}
