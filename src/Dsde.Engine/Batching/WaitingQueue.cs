using Dsde.Engine.Sequences;

namespace Dsde.Engine.Batching;

/// <summary>
/// Requests without a slot, in the order in which they get one. Each level of priority counts as some seconds of waiting: the order is that
/// of <c>arrival − priority · ageing</c>. Everybody ages alike, so that it never changes, and a request is only ever passed by those that
/// come before its arrival + (difference of priorities) · ageing: a bounded wait, whatever arrives.
/// </summary>
internal sealed class WaitingQueue(TimeProvider time, TimeSpan ageing)
{
    private readonly PriorityQueue<Sequence, (double VirtualArrival, long Number)> _queue = new();
    private readonly long _start = time.GetTimestamp();
    private long _arrivals;

    /// <summary>Requests that wait.</summary>
    public int Count => _queue.Count;

    /// <summary>Takes in a request; one that has been here before keeps its place.</summary>
    public void Enqueue(Sequence sequence)
    {
        sequence.ArrivalNumber ??= _arrivals++;
        _queue.Enqueue(sequence, PlaceOf(sequence));
    }

    /// <summary>Where a request that has been here stands in the order: lower ones come before it.</summary>
    public (double VirtualArrival, long Number) PlaceOf(Sequence sequence)
    {
        var arrival = time.GetElapsedTime(_start, sequence.Clock.Arrival);
        return (arrival.TotalSeconds - (sequence.Request.Priority * ageing.TotalSeconds), sequence.ArrivalNumber ?? long.MaxValue);
    }

    /// <summary>The next one, left where it is; false if nobody waits.</summary>
    public bool TryPeek([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Sequence? sequence) => _queue.TryPeek(out sequence, out _);

    /// <summary>Takes out the next one; false if nobody waits.</summary>
    public bool TryDequeue([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Sequence? sequence) =>
        _queue.TryDequeue(out sequence, out _);

    /// <summary>Takes out those that must not wait any longer.</summary>
    public void RemoveWhere(Predicate<Sequence> ended)
    {
        List<Sequence>? removed = null;
        foreach (var (sequence, _) in _queue.UnorderedItems)
        {
            if (ended(sequence))
            {
                (removed ??= []).Add(sequence);
            }
        }

        foreach (var sequence in removed ?? [])
        {
            _queue.Remove(sequence, out _, out _);
        }
    }
}
