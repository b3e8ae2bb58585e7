using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Held;

/// <summary>Remembers ids for a while, and no more than so many. Any thread.</summary>
/// <param name="time">The clock.</param>
/// <param name="window">How long.</param>
/// <param name="capacity">How many; the oldest go first.</param>
internal sealed class RecentIds(TimeProvider time, TimeSpan window, int capacity)
{
    private readonly Lock _lock = new();
    private readonly Queue<(Guid Id, long AddedAt)> _order = new();
    private readonly Dictionary<Guid, long> _addedAt = [];

    /// <summary>Remembers an id from now on.</summary>
    public void Add(Guid id)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            Forget_NeedsLock(now);
            _order.Enqueue((id, now));
            _addedAt[id] = now;
            if (_order.Count > capacity)
            {
                ForgetOldest_NeedsLock();
            }
        }
    }

    /// <summary>Whether an id was added lately.</summary>
    public bool Contains(Guid id)
    {
        lock (_lock)
        {
            if (_order.Count == 0)
            {
                return false;
            }

            Forget_NeedsLock(time.GetTimestamp());
            return _addedAt.ContainsKey(id);
        }
    }

    private void Forget_NeedsLock(long now)
    {
        while (_order.TryPeek(out var oldest) && time.GetElapsedTime(oldest.AddedAt, now) > window)
        {
            ForgetOldest_NeedsLock();
        }
    }

    private void ForgetOldest_NeedsLock()
    {
        var (id, addedAt) = _order.Dequeue();
        if (_addedAt.TryGetValue(id, out var latest) && latest == addedAt)
        {
            _addedAt.Remove(id);
        }
    }
}
