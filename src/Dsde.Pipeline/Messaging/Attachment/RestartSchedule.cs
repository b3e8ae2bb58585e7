namespace Dsde.Pipeline.Messaging.Attachment;

/// <summary>
/// When to restart a detached endpoint, and when to stop trying. Coming back by itself is given a time first; each restart is given twice
/// the time of the one before. Time in which the broker is away doesn't count: then there is nothing to come back to.
/// </summary>
/// <param name="patience">Time to come back by itself.</param>
internal sealed class RestartSchedule(TimeSpan patience)
{
    /// <summary>Restarts in vain, with the broker in good order, after which only a new process is left to try.</summary>
    public const int MostRestarts = 3;

    private DateTimeOffset? _due;
    private int _restarts;

    /// <summary>Whether something has to be done now, if the broker is there.</summary>
    public bool IsDue(DateTimeOffset now, DateTimeOffset? detachedSince)
    {
        if (detachedSince is not { } since)
        {
            (_due, _restarts) = (null, 0);
            return false;
        }

        _due ??= since + patience;
        return now >= _due;
    }

    /// <summary>Whether restarting has been tried often enough.</summary>
    public bool IsExhausted => _restarts == MostRestarts;

    /// <summary>The broker is away.</summary>
    public void Postpone(DateTimeOffset now) => _due = now + patience;

    /// <summary>It is being restarted.</summary>
    public void Restarted(DateTimeOffset now) => _due = now + (patience * (1 << ++_restarts));
}
