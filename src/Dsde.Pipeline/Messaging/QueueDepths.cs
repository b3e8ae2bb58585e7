using System.Diagnostics.CodeAnalysis;
using Dsde.Contracts;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Messaging.Taking;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// How many messages wait in the queues that this worker takes jobs from. The broker is asked when somebody wants to know, and at most once
/// a second however many do.
/// </summary>
/// <param name="publisher">Has a connection.</param>
/// <param name="options">The models that this worker serves.</param>
/// <param name="time">The clock.</param>
[SuppressMessage("Reliability", "CA1001", Justification = "Nobody asks the semaphore for a wait handle, so that there is nothing to free.")]
internal sealed class QueueDepths(ConfirmingPublisher publisher, WorkerOptions options, TimeProvider time)
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Staleness = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _asking = new(1);
    private readonly string[] _queues =
    [
        .. options.Models.SelectMany(Lane.AllOf).Select(lane => lane.Queue),
        QueueNames.UnroutedGenerationJobs,
    ];

    private volatile Answer? _latest;

    /// <summary>Messages of all of them as last asked; null if that is long ago, or the broker was away.</summary>
    public long? LatestTotal =>
        _latest is { } latest && time.GetElapsedTime(latest.At) < Staleness ? latest.Queues?.Sum(queue => queue.Ready) : null;

    /// <summary>The queues in their order; null while the broker can't be asked.</summary>
    public async Task<IReadOnlyList<Depth>?> ReadAsync(CancellationToken cancellationToken)
    {
        await _asking.WaitAsync(cancellationToken);
        try
        {
            if (_latest is { } latest && time.GetElapsedTime(latest.At) < Freshness)
            {
                return latest.Queues;
            }

            var queues = await AskAsync(cancellationToken);
            _latest = new Answer(time.GetTimestamp(), queues);
            return queues;
        }
        finally
        {
            _asking.Release();
        }
    }

    private async Task<IReadOnlyList<Depth>?> AskAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            var reader = new QueueReader(await publisher.ConnectAsync(limit.Token));
            var queues = new List<Depth>(_queues.Length);
            foreach (var queue in _queues)
            {
                queues.Add(new Depth(queue, await reader.CountAsync(queue, limit.Token)));
            }

            return queues;
        }
        catch (Exception exception)
            when (exception is ExpectedFailureException
                || BrokerFailure.IsOne(exception)
                || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            return null; // whoever watches the broker says that it is away
        }
    }

    /// <summary>A queue.</summary>
    /// <param name="Queue">Its name.</param>
    /// <param name="Ready">Messages that no worker has been given.</param>
    public sealed record Depth(string Queue, long Ready);

    private sealed record Answer(long At, IReadOnlyList<Depth>? Queues);
}
