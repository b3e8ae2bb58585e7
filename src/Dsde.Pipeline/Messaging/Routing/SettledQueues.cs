using System.Collections.Concurrent;
using Dsde.Pipeline.Messaging.Taking;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging.Routing;

/// <summary>
/// Which queues have been there for so long that their broker would have them again if it were killed now, with what is in them (see
/// <see cref="QueueTopology"/>). As nobody can ask how old a queue is, each counts as made when this process sees it for the first time.
/// </summary>
/// <param name="publisher">Its connection is asked.</param>
/// <param name="time">The clock.</param>
internal sealed class SettledQueues(ConfirmingPublisher publisher, TimeProvider time)
{
    /// <summary>After that a queue is settled. Some more than it takes to make all queues of a model.</summary>
    public static readonly TimeSpan Settling = QueueTopology.Settling + TimeSpan.FromSeconds(0.5);

    /// <summary>That there is no queue is not asked more often, for as many names as strangers are given.</summary>
    private static readonly TimeSpan AbsencePatience = TimeSpan.FromSeconds(1);

    private const int MostAbsent = 100;

    // Only what there is, so that strangers' names can't fill it.
    private readonly ConcurrentDictionary<string, long> _seen = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _absent = new(StringComparer.Ordinal);
    private PlainConnection? _connection;

    /// <summary>How long a queue takes to be settled: zero if it is; null if there is none.</summary>
    /// <exception cref="ExpectedFailureException">The broker can't be reached, or refuses.</exception>
    /// <exception cref="RabbitMQClientException">It went away meanwhile.</exception>
    public async Task<TimeSpan?> FindRestAsync(string queue, CancellationToken cancellationToken)
    {
        var connection = await publisher.ConnectAsync(cancellationToken);
        if (Interlocked.Exchange(ref _connection, connection) != connection)
        {
            _seen.Clear(); // a broker that was killed may have forgotten a queue, which was then made again
        }

        if (_seen.TryGetValue(queue, out var seen))
        {
            return Rest(seen);
        }

        if (await new QueueReader(connection).FindAsync(queue, cancellationToken) is null)
        {
            NoteAbsent(queue);
            return null;
        }

        return Rest(_seen.GetOrAdd(queue, time.GetTimestamp()));
    }

    /// <summary>The same for those who come again: what there was not a moment ago is not looked for.</summary>
    /// <exception cref="ExpectedFailureException">The broker can't be reached, or refuses.</exception>
    /// <exception cref="RabbitMQClientException">It went away meanwhile.</exception>
    public async Task<TimeSpan?> RecallRestAsync(string queue, CancellationToken cancellationToken) =>
        _absent.TryGetValue(queue, out var missed) && time.GetElapsedTime(missed) < AbsencePatience
            ? null
            : await FindRestAsync(queue, cancellationToken);

    /// <summary>A queue turned out to be gone: the next of that name is another one.</summary>
    public void Forget(string queue) => _seen.TryRemove(queue, out _);

    private void NoteAbsent(string queue)
    {
        if (_absent.Count >= MostAbsent)
        {
            _absent.Clear();
        }

        _absent[queue] = time.GetTimestamp();
    }

    private TimeSpan Rest(long seen) => Settling - time.GetElapsedTime(seen) is { Ticks: > 0 } rest ? rest : TimeSpan.Zero;
}
