using System.Threading.Channels;
using Dsde.Engine.Models;

namespace Dsde.Engine.Scheduling;

/// <summary>
/// The engine's heart: <see cref="Step"/> admits waiting sequences, works on prompts, runs one iteration and lets finished sequences go. Runs on
/// one thread, which owns every tensor.
/// </summary>
internal sealed class DecodingLoop
{
    private readonly ChannelReader<Sequence> _arrivals;
    private readonly PriorityQueue<Sequence, (int NegatedPriority, long Arrival)> _waiting = new();
    private readonly RunningBatch _batch;
    private readonly PrefillStep _prefill;
    private readonly SpeculativeStep _iteration;
    private readonly EngineCounters _counters;
    private long _arrivalCount;

    public DecodingLoop(ChannelReader<Sequence> arrivals, RunningBatch batch, PrefillStep prefill, SpeculativeStep iteration, EngineCounters counters)
    {
        _arrivals = arrivals;
        _batch = batch;
        _prefill = prefill;
        _iteration = iteration;
        _counters = counters;
    }

    /// <summary>Whether there is nothing to do until a sequence arrives.</summary>
    public bool IsIdle => _batch.Sequences.Count == 0 && _waiting.Count == 0;

    /// <summary>One round.</summary>
    public void Step()
    {
        ReceiveArrivals();
        ReleaseCancelled();
        Admit();
        var emittedBefore = CountEmitted();
        _prefill.Run(_batch.Sequences);
        var firstTokens = CountEmitted() - emittedBefore;
        ReleaseFinished();
        var summary = _iteration.Run(_batch.Sequences);
        ReleaseFinished();
        _batch.CheckIntegrity();
        _counters.Update(summary with { Emitted = summary.Emitted + firstTokens }, _batch.Sequences.Count, _waiting.Count);
    }

    /// <summary>Ends everything that runs or waits, each with an outcome of the caller's choice.</summary>
    public void Abandon(Action<Sequence> end)
    {
        ReceiveArrivals();
        foreach (var sequence in _batch.Sequences.ToArray())
        {
            _batch.Release(sequence);
            end(sequence);
        }

        while (_waiting.TryDequeue(out var sequence, out _))
        {
            end(sequence);
        }

        _counters.Update(default, 0, 0);
    }

    private int CountEmitted() => _batch.Sequences.Sum(sequence => sequence.EmittedCount);

    private void ReceiveArrivals()
    {
        while (_arrivals.TryRead(out var sequence))
        {
            _waiting.Enqueue(sequence, (-sequence.Request.Priority, _arrivalCount++));
        }
    }

    private void Admit()
    {
        while (_batch.CanAdmit && _waiting.TryDequeue(out var sequence, out _))
        {
            if (sequence.Cancellation.IsCancellationRequested)
            {
                sequence.Completion.TrySetCanceled(sequence.Cancellation);
            }
            else
            {
                _batch.Admit(sequence);
            }
        }
    }

    private void ReleaseCancelled()
    {
        foreach (var sequence in _batch.Sequences.Where(sequence => sequence.Cancellation.IsCancellationRequested).ToArray())
        {
            _batch.Release(sequence);
            sequence.Completion.TrySetCanceled(sequence.Cancellation);
        }
    }

    private void ReleaseFinished()
    {
        foreach (var sequence in _batch.Sequences.Where(sequence => sequence.FinishReason is not null).ToArray())
        {
            _batch.Release(sequence);
            sequence.Completion.TrySetResult(sequence.ToResult());
        }
    }
}
