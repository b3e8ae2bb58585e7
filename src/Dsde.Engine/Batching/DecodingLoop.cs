using System.Threading.Channels;
using Dsde.Engine.Iteration;
using Dsde.Engine.Kv;
using Dsde.Engine.Loading;
using Dsde.Engine.Prefill;
using Dsde.Engine.Sequences;
using Dsde.Speculation.Guarding;
using static TorchSharp.torch;

namespace Dsde.Engine.Batching;

/// <summary>
/// The engine's heart: <see cref="Step"/> admits waiting sequences, works on prompts, runs one iteration and lets sequences go that have
/// ended or are asked to. Runs on one thread, which owns every tensor.
/// </summary>
internal sealed class DecodingLoop
{
    /// <summary>So many different requests that fail alone, one after the other, and it is the engine.</summary>
    public const int DifferentFailures = 8;

    private readonly ChannelReader<Sequence> _arrivals;
    private readonly int _batchSize;
    private readonly HashSet<string> _failedAlone = [];
    private readonly WaitingQueue _waiting;
    private readonly RunningBatch _batch;
    private readonly BatchLimit _memory;
    private BatchLimit _faults;
    private readonly PrefillStep _prefill;
    private readonly SpeculationPlanner _planner;
    private readonly CostGuard _guard;
    private readonly SpeculativeStep _iteration;
    private readonly EngineCounters _counters;
    private readonly TimeProvider _time;

    private DecodingLoop(
        ChannelReader<Sequence> arrivals,
        WaitingQueue waiting,
        RunningBatch batch,
        int batchSize,
        PrefillStep prefill,
        SpeculationPlanner planner,
        CostGuard guard,
        SpeculativeStep iteration,
        EngineCounters counters,
        TimeProvider time
    )
    {
        _arrivals = arrivals;
        _waiting = waiting;
        _batch = batch;
        _batchSize = batchSize;
        _memory = new BatchLimit(batchSize);
        _faults = new BatchLimit(batchSize);
        _prefill = prefill;
        _planner = planner;
        _guard = guard;
        _iteration = iteration;
        _counters = counters;
        _time = time;
    }

    /// <summary>A loop over loaded models.</summary>
    public static DecodingLoop Create(
        LoadedModels models,
        EngineOptions options,
        Device device,
        ChannelReader<Sequence> arrivals,
        EngineCounters counters,
        CostGuard guard,
        TimeProvider time
    )
    {
        var caches = new CachePair(models.Target.Cache, models.Draft?.Cache);
        var acceptance = new WorkloadAcceptance();
        return new DecodingLoop(
            arrivals,
            new WaitingQueue(time, TimeSpan.FromSeconds(options.PriorityAgeingSeconds)),
            new RunningBatch(caches, new KvRoom(caches, options.MaxSpeculationLength, options.PrefillTokenBudget), guard),
            models.BatchSize,
            new PrefillStep(models.Target, models.Draft, new PrefillPlanner(caches, options.PrefillTokenBudget), device, time),
            new SpeculationPlanner(caches, options.MaxSpeculationLength, guard, acceptance),
            guard,
            new SpeculativeStep(models.Target, models.Draft, acceptance, options.MaxSpeculationLength, device, time),
            counters,
            time
        );
    }

    /// <summary>Most sequences that may run at once now.</summary>
    private int Limit => Math.Min(_memory.Current, _faults.Current);

    /// <summary>Whether there is nothing to do until a sequence arrives.</summary>
    public bool IsIdle => _batch.Sequences.Count == 0 && _waiting.Count == 0;

    /// <summary>One round.</summary>
    public void Step()
    {
        _counters.BeginRound();
        ReceiveArrivals();
        EndOnRequest();
        Admit();
        _batch.ShareAwaited();
        SuspendForRoom();
        _counters.AddFirstTokens(_prefill.Run(_batch.Sequences));
        _counters.Advance();
        ReleaseEnded();
        var iteration = RunIteration();
        _counters.AddIteration(iteration);
        _counters.Advance();
        ReleaseEnded();
        TakeCheckpoints();
        _batch.ReleaseUnseen();
        CheckIntegrity();
        _memory.AddGoodRound();
        _faults.AddGoodRound();
        if (iteration.Emitted > 0)
        {
            _failedAlone.Clear();
        }

        Report();
    }

    /// <summary>
    /// After a round that failed: everything that runs goes back to the queue, to be worked through again with fewer neighbours. A sequence
    /// that ran alone is ended instead, because it was the cause, or does not fit. Whoever ran beside a cause loses time only.
    /// </summary>
    /// <param name="failure">What the round failed with.</param>
    /// <exception cref="EngineFailureException">
    /// It is the engine that fails, whatever it is given: with nothing in the batch, or with <see cref="DifferentFailures"/> different
    /// prompts in turn, each alone, and no iteration between them that emitted a token. A full device is no such failure.
    /// </exception>
    public void Retreat(Exception failure)
    {
        var isMemory = AllocationFailure.Is(failure);
        var all = _batch.TakeAll();
        if (all.Count == 0)
        {
            throw new EngineFailureException("The engine failed with nothing to do: " + failure.Message, failure);
        }

        (isMemory ? _memory : _faults).Shrink(all.Count);
        foreach (var sequence in all)
        {
            if (sequence.IsOver)
            {
                Complete(sequence); // the round got as far as to end it
            }
            else if (all.Count > 1)
            {
                PutBack(sequence);
            }
            else
            {
                EndAlone(sequence, failure, isMemory);
            }
        }

        Report();
        if (_failedAlone.Count >= DifferentFailures)
        {
            throw new EngineFailureException($"{DifferentFailures} different requests in turn failed alone: " + failure.Message, failure);
        }
    }

    private void EndAlone(Sequence sequence, Exception failure, bool isMemory)
    {
        if (!isMemory)
        {
            _failedAlone.Add(SequenceCheckpoint.DigestOf(sequence.Request.PromptTokenIds));
            _faults = new BatchLimit(_batchSize); // the cause is gone, and the others may run together again
        }

        sequence.Completion.TrySetException(
            new EngineFailureException(
                isMemory
                    ? $"The device's memory does not hold the request, not even alone ({sequence.Length} tokens so far): {failure.Message}"
                    : "The engine failed while the request ran alone: " + failure.Message,
                failure
            )
        );
    }

    /// <summary>Ends everything that runs or waits, each with an outcome of the caller's choice.</summary>
    public void Abandon(Action<Sequence> end)
    {
        ReceiveArrivals();
        foreach (var sequence in _batch.TakeAll())
        {
            end(sequence);
        }

        while (_waiting.TryDequeue(out var sequence))
        {
            end(sequence);
        }

        Report();
    }

    /// <summary>Throws if an owner of memory has lost track of it.</summary>
    public void CheckIntegrity() => _batch.CheckIntegrity();

    /// <summary>Runs every decoding sequence once.</summary>
    private IterationSummary RunIteration()
    {
        var decoding = _batch.Sequences.Where(sequence => sequence.IsDecoding).ToList();
        if (decoding.Count == 0)
        {
            return default;
        }

        var plan = _planner.Plan(decoding);
        var (summary, timing) = _iteration.Run(plan);
        _guard.Observe(timing);
        _counters.AddLengths(decoding);
        foreach (var sequence in _batch.Sequences)
        {
            if (!sequence.IsDecoding)
            {
                sequence.Clock.AddOthers(timing.TotalMs);
            }
        }

        return summary;
    }

    private void ReceiveArrivals()
    {
        while (_arrivals.TryRead(out var sequence))
        {
            _waiting.Enqueue(sequence);
        }
    }

    private void Admit()
    {
        while (_batch.Sequences.Count < Limit && _waiting.TryPeek(out var next) && _batch.HasRoomFor(next))
        {
            _waiting.TryDequeue(out var sequence);
            _batch.Admit(sequence!);
        }
    }

    /// <summary>
    /// Puts back whom the memory does not hold any more. It begins again with its tokens, as it does from a checkpoint, when it is its turn
    /// and there is room.
    /// </summary>
    private void SuspendForRoom()
    {
        var suspended = _batch.MakeRoom(_waiting.PlaceOf);
        _counters.AddSuspensions(suspended.Count);
        foreach (var sequence in suspended)
        {
            PutBack(sequence);
        }
    }

    private void PutBack(Sequence sequence)
    {
        _waiting.Enqueue(sequence);
        sequence.ReportProgress();
    }

    /// <summary>Lets go what is cancelled, has expired or is to be suspended, whether it runs or waits.</summary>
    private void EndOnRequest()
    {
        var now = _time.GetUtcNow();
        for (var i = _batch.Sequences.Count - 1; i >= 0; i--)
        {
            var sequence = _batch.Sequences[i];
            if (IsToEnd(sequence, now))
            {
                _batch.Release(sequence);
                Complete(sequence);
            }
        }

        _waiting.RemoveWhere(sequence =>
        {
            var ends = IsToEnd(sequence, now);
            if (ends)
            {
                Complete(sequence);
            }

            return ends;
        });
    }

    private static bool IsToEnd(Sequence sequence, DateTimeOffset now)
    {
        if (sequence.Cancellation.IsCancellationRequested)
        {
            return true;
        }

        if (sequence.AskedToEnd(now) is { } reason)
        {
            sequence.End(reason);
        }

        return sequence.IsOver;
    }

    private void ReleaseEnded()
    {
        for (var i = _batch.Sequences.Count - 1; i >= 0; i--)
        {
            var sequence = _batch.Sequences[i];
            if (sequence.IsOver)
            {
                _batch.Release(sequence);
                Complete(sequence);
            }
        }
    }

    private static void Complete(Sequence sequence)
    {
        sequence.ReportProgress();
        if (sequence.Failure is { } failure)
        {
            sequence.Completion.TrySetException(failure);
            return;
        }

        if (sequence.FinishReason is null)
        {
            sequence.Completion.TrySetCanceled(sequence.Cancellation);
            return;
        }

        try
        {
            sequence.Completion.TrySetResult(sequence.ToResult());
        }
        catch (Exception exception)
        {
            // It has left the batch already: nobody else would answer for it.
            sequence.Completion.TrySetException(new EngineFailureException("The result can't be told: " + exception.Message, exception));
        }
    }

    private void TakeCheckpoints()
    {
        for (var i = _batch.Sequences.Count - 1; i >= 0; i--)
        {
            var sequence = _batch.Sequences[i];
            try
            {
                sequence.TakeCheckpointIfDue(_batch.DraftLengthOf(sequence));
            }
            catch (Exception exception)
            {
                // The receiver is the caller's code: its failure is its own request's.
                _batch.Release(sequence);
                sequence.Completion.TrySetException(
                    new EngineFailureException("A checkpoint could not be handed over: " + exception.Message, exception)
                );
            }
        }
    }

    private void Report()
    {
        foreach (var sequence in _batch.Sequences)
        {
            sequence.ReportProgress();
        }

        _counters.SetState(
            _batch,
            _waiting.Count,
            Limit,
            _memory.Failures,
            isSpeculating: _guard.Profile is null ? null : _guard.IsSpeculating
        );
        if (IsIdle)
        {
            _counters.Sleep();
        }
    }
}
