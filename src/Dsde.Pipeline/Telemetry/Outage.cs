namespace Dsde.Pipeline.Telemetry;

/// <summary>Tells once that something went away, and once that it is back, however many notice.</summary>
/// <param name="time">The clock.</param>
/// <param name="tellAway">Given the reason.</param>
/// <param name="tellBack">Given how long it was away.</param>
internal sealed class Outage(TimeProvider time, Action<string> tellAway, Action<TimeSpan> tellBack)
{
    private readonly Lock _lock = new();
    private long _since;
    private volatile bool _isAway;

    /// <summary>Whether it is away, as far as is known.</summary>
    public bool IsAway => _isAway;

    /// <summary>For how long it has been away; null if it isn't, as far as is known.</summary>
    public TimeSpan? AwayFor
    {
        get
        {
            lock (_lock)
            {
                return _isAway ? time.GetElapsedTime(_since) : null;
            }
        }
    }

    /// <summary>It can't be reached.</summary>
    public void Away(string reason)
    {
        lock (_lock)
        {
            if (_isAway)
            {
                return;
            }

            (_since, _isAway) = (time.GetTimestamp(), true);
        }

        tellAway(reason);
    }

    /// <summary>It has answered.</summary>
    /// <param name="asked">When it was asked, in the clock's timestamps: an answer to an earlier question says nothing of now.</param>
    public void Back(long asked)
    {
        if (!_isAway)
        {
            return;
        }

        TimeSpan away;
        lock (_lock)
        {
            if (!_isAway || asked < _since)
            {
                return;
            }

            (away, _isAway) = (time.GetElapsedTime(_since), false);
        }

        tellBack(away);
    }
}
