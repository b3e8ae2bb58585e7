namespace Dsde.Pipeline.Messaging.Attachment;

/// <summary>
/// When to restart a detached endpoint, and when to stop trying. Coming back by itself is given a time first; each restart is given twice
/// the time of the one before. Time in which the broker is away doesn't count: then there is nothing to come back to. An endpoint that was
/// cut off while it started has nothing to come back by itself from, and keeps the worker from being ready: it is tried again soon. So is
/// one whose broker was away: MassTransit's pauses between its own tries have grown meanwhile.
/// </summary>
/// <param name="patience">Time to come back by itself.</param>
internal sealed class RestartSchedule(TimeSpan patience)
{
    /// <summary>Restarts in vain, with the broker in good order, after which only a new process is left to try.</summary>
    public const int MostRestarts = 3;

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan PatienceAfterOutage = TimeSpan.FromSeconds(3);

    private DateTimeOffset? _due;
    private int _restarts;

    /// <summary>Whether something has to be done now, if the broker is there.</summary>
    /// <param name="now">The time.</param>
    /// <param name="detachedSince">Null while it is attached.</param>
    /// <param name="wasAttached">Whether it has been attached once.</param>
    public bool IsDue(DateTimeOffset now, DateTimeOffset? detachedSince, bool wasAttached)
    {
        if (detachedSince is not { } since)
        {
            (_due, _restarts, IsAfterOutage) = (null, 0, false);
            return false;
        }

        _due ??= (wasAttached ? since : now) + PatienceOf(wasAttached); // before its first connection it was not waited for
        return now >= _due;
    }

    /// <summary>Whether the broker was away, and nothing has been tried since.</summary>
    public bool IsAfterOutage { get; private set; }

    /// <summary>Whether restarting has been tried often enough.</summary>
    public bool IsExhausted => _restarts == MostRestarts;

    /// <summary>The broker is away.</summary>
    public void Postpone(DateTimeOffset now, bool wasAttached) => _due = now + PatienceOf(wasAttached);

    /// <summary>The broker was away, and answers again.</summary>
    public void Hasten(DateTimeOffset now) => (_due, IsAfterOutage) = (now + Least(PatienceAfterOutage), true);

    /// <summary>It is being restarted; the first time after an outage doesn't count as one in vain.</summary>
    public void Restarted(DateTimeOffset now)
    {
        _restarts += IsAfterOutage ? 0 : 1;
        IsAfterOutage = false;
        _due = now + (patience * (1 << _restarts));
    }

    private TimeSpan PatienceOf(bool wasAttached) => wasAttached ? patience : Least(StartPatience);

    private TimeSpan Least(TimeSpan soon) => patience < soon ? patience : soon;
}
