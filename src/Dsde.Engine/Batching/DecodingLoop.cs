using System.Threading.Channels;
using Dsde.Engine.Iteration;
using Dsde.Engine.Kv;
using Dsde.Engine.Loading;
using Dsde.Engine.Prefill;
using Dsde.Engine.Sequences;
using Dsde.Engine.Speculation.Goodput;
using static TorchSharp.torch;

namespace Dsde.Engine.Batching;

/// <summary>
/// The engine's heart: <see cref="Step"/> admits waiting sequences, works on prompts, runs one iteration and lets sequences go that have
/// ended or are asked to. Runs on one thread, which owns every tensor.
/// </summary>
internal sealed class DecodingLoop
{
    private readonly ChannelReader<Sequence> _arrivals;
    private readonly WaitingQueue _waiting;
    private readonly RunningBatch _batch;
    private readonly BatchLimit _limit;
    private readonly PrefillStep _prefill;
    private readonly SpeculativeStep _iteration;
    private readonly EngineCounters _counters;
    private readonly TimeProvider _time;

    private DecodingLoop(
        ChannelReader<Sequence> arrivals,
        WaitingQueue waiting,
        RunningBatch batch,
        BatchLimit limit,
        PrefillStep prefill,
        SpeculativeStep iteration,
        EngineCounters counters,
        TimeProvider time
    )
    {
        _arrivals = arrivals;
        _waiting = waiting;
        _batch = batch;
        _limit = limit;
        _prefill = prefill;
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
        IterationCosts costs,
        TimeProvider time
    )
    {
        var caches = new CachePair(models.Target.Cache, models.Draft?.Cache);
        return new DecodingLoop(
            arrivals,
            new WaitingQueue(time, TimeSpan.FromSeconds(options.PriorityAgeingSeconds)),
            new RunningBatch(caches),
            new BatchLimit(models.BatchSize),
            new PrefillStep(models.Target, models.Draft, new PrefillPlanner(caches, options.PrefillTokenBudget), device, time),
            new SpeculativeStep(
                models.Target,
                models.Draft,
                new SpeculationPlanner(caches, options.MaxSpeculationLength, costs),
                device,
                time
            ),
            counters,
            time
        );
    }

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
        _counters.AddFirstTokens(_prefill.Run(_batch.Sequences));
        _counters.Advance();
        ReleaseEnded();
        _counters.AddIteration(_iteration.Run(_batch.Sequences));
        _counters.Advance();
        ReleaseEnded();
        TakeCheckpoints();
        CheckIntegrity();
        _limit.AddGoodRound();
        Report();
    }

    /// <summary>
    /// After a round in which memory ran out: everything that runs goes back to the queue, to be worked through again with fewer
    /// neighbours. A sequence that ran alone is ended instead.
    /// </summary>
    /// <param name="endAlone">Ends it.</param>
    public void Retreat(Action<Sequence> endAlone)
    {
        var all = _batch.TakeAll();
        _limit.Shrink(all.Count);
        foreach (var sequence in all)
        {
            if (sequence.FinishReason is not null)
            {
                Complete(sequence); // the round got as far as to end it
            }
            else if (all.Count == 1)
            {
                endAlone(sequence);
            }
            else
            {
                _waiting.Enqueue(sequence);
            }
        }

        Report();
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

    private void ReceiveArrivals()
    {
        while (_arrivals.TryRead(out var sequence))
        {
            _waiting.Enqueue(sequence);
        }
    }

    private void Admit()
    {
        while (_batch.Sequences.Count < _limit.Current && _waiting.TryDequeue(out var sequence))
        {
            _batch.Admit(sequence);
        }
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

        return sequence.FinishReason is not null;
    }

    private void ReleaseEnded()
    {
        for (var i = _batch.Sequences.Count - 1; i >= 0; i--)
        {
            var sequence = _batch.Sequences[i];
            if (sequence.FinishReason is not null)
            {
                _batch.Release(sequence);
                Complete(sequence);
            }
        }
    }

    private static void Complete(Sequence sequence)
    {
        if (sequence.FinishReason is null)
        {
            sequence.Completion.TrySetCanceled(sequence.Cancellation);
        }
        else
        {
            sequence.Completion.TrySetResult(sequence.ToResult());
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
        _counters.SetState(_batch, _waiting.Count, _limit);
        if (IsIdle)
        {
            _counters.Sleep();
        }
    }
}
