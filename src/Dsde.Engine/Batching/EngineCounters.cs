using Dsde.Engine.Iteration;
using Dsde.Engine.Sequences;
using Dsde.Speculation;
using TorchSharp;

namespace Dsde.Engine.Batching;

/// <summary>What the engine has done so far. Written by its thread, read by any.</summary>
internal sealed class EngineCounters(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly List<long> _lengths = [];
    private readonly long[] _decisions = new long[Enum.GetValues<LengthDecider>().Length];
    private EngineSnapshot _snapshot;
    private long _advanced = time.GetTimestamp();

    /// <summary>
    /// A request is about to be handed over, from any thread. An engine that slept has work from here on, so that one that doesn't wake up
    /// is noticed.
    /// </summary>
    public void AddArrival()
    {
        lock (_lock)
        {
            if (!_snapshot.HasWork)
            {
                StartClock();
            }
        }
    }

    /// <summary>The engine's thread begins a round, maybe after a sleep.</summary>
    public void BeginRound()
    {
        lock (_lock)
        {
            StartClock();
        }
    }

    /// <summary>The engine's thread has got one step further within a round.</summary>
    public void Advance()
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var step = time.GetElapsedTime(_advanced, now);
            _advanced = now;
            if (step > _snapshot.LongestAdvance)
            {
                _snapshot = _snapshot with { LongestAdvance = step };
            }
        }
    }

    /// <summary>The engine's thread has nothing to do until a request arrives.</summary>
    public void Sleep()
    {
        lock (_lock)
        {
            _snapshot = _snapshot with { HasWork = false };
        }
    }

    /// <summary>Adds tokens that were emitted with the last of their prompts.</summary>
    public void AddFirstTokens(int count)
    {
        lock (_lock)
        {
            _snapshot = _snapshot with { Emitted = _snapshot.Emitted + count };
        }
    }

    /// <summary>Adds sequences that had to make room for others.</summary>
    public void AddSuspensions(int count)
    {
        lock (_lock)
        {
            _snapshot = _snapshot with { Suspensions = _snapshot.Suspensions + count };
        }
    }

    /// <summary>Adds an iteration, unless it had no sequences.</summary>
    public void AddIteration(IterationSummary summary)
    {
        if (summary.Sequences == 0)
        {
            return;
        }

        lock (_lock)
        {
            _snapshot = _snapshot with
            {
                Iterations = _snapshot.Iterations + 1,
                Proposed = _snapshot.Proposed + summary.Proposed,
                Accepted = _snapshot.Accepted + summary.Accepted,
                Forced = _snapshot.Forced + summary.Forced,
                Emitted = _snapshot.Emitted + summary.Emitted,
                DraftRowsWithoutNumbers = _snapshot.DraftRowsWithoutNumbers + summary.DraftRowsWithoutNumbers,
            };
        }
    }

    /// <summary>Adds the lengths that sequences had in the iteration that has just ended, and who decided them.</summary>
    public void AddLengths(IReadOnlyList<Sequence> sequences)
    {
        lock (_lock)
        {
            foreach (var sequence in sequences)
            {
                if (sequence is { Request.IsSurvey: false, Recorder.Latest: { } latest })
                {
                    while (_lengths.Count <= latest.Proposed)
                    {
                        _lengths.Add(0);
                    }

                    _lengths[latest.Proposed]++;
                    _decisions[(int)latest.DecidedBy]++;
                }
            }
        }
    }

    /// <summary>Says how things stand after a round. Called on the engine's thread, whose memory it looks at.</summary>
    public void SetState(RunningBatch batch, int waiting, int limit, long outOfMemory, bool? isSpeculating)
    {
        var liveTensors = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        lock (_lock)
        {
            _snapshot = _snapshot with
            {
                Running = batch.Sequences.Count,
                Waiting = waiting,
                PromptTokens = batch.PromptTokens,
                ReusedPromptTokens = batch.ReusedPromptTokens,
                KvBlocks = batch.Caches.Target.BlockCount,
                KvBlocksFree = batch.Caches.Target.FreeBlockCount,
                BatchLimit = limit,
                OutOfMemory = outOfMemory,
                LiveTensors = liveTensors,
                AllocatedBytes = allocated,
                IsSpeculating = isSpeculating,
            };
        }
    }

    /// <summary>The counters now.</summary>
    public EngineSnapshot Read()
    {
        lock (_lock)
        {
            return _snapshot with { SinceAdvance = time.GetElapsedTime(_advanced), Lengths = [.. _lengths], Decisions = [.. _decisions] };
        }
    }

    private void StartClock()
    {
        _advanced = time.GetTimestamp();
        _snapshot = _snapshot with { HasWork = true };
    }
}
