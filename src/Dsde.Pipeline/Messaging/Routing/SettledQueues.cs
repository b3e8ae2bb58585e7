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

    // Only what there is, so that strangers' names can't fill it.
    private readonly ConcurrentDictionary<string, long> _seen = new(StringComparer.Ordinal);

    /// <summary>How long a queue takes to be settled: zero if it is; null if there is none.</summary>
    /// <exception cref="ExpectedFailureException">The broker can't be reached, or refuses.</exception>
    /// <exception cref="RabbitMQClientException">It went away meanwhile.</exception>
    public async Task<TimeSpan?> FindRestAsync(string queue, CancellationToken cancellationToken)
    {
        if (_seen.TryGetValue(queue, out var seen))
        {
            return Rest(seen);
        }

        var reader = new QueueReader(await publisher.ConnectAsync(cancellationToken));
        return await reader.FindAsync(queue, cancellationToken) is null ? null : Rest(_seen.GetOrAdd(queue, time.GetTimestamp()));
    }

    /// <summary>A queue turned out to be gone: the next of that name is another one.</summary>
    public void Forget(string queue) => _seen.TryRemove(queue, out _);

    private TimeSpan Rest(long seen) => Settling - time.GetElapsedTime(seen) is { Ticks: > 0 } rest ? rest : TimeSpan.Zero;
}
