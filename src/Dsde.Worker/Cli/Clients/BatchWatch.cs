namespace Dsde.Worker.Cli.Clients;

/// <summary>Waits for the end of a batch that was sent, and says when no worker is there for it.</summary>
internal sealed class BatchWatch(BatchClient client, Guid batchId, TimeProvider time, TextWriter error)
{
    private static readonly TimeSpan DatabaseCheckInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ConsumerCheckInterval = TimeSpan.FromSeconds(10);

    private long? _consumersCheckedAt;
    private bool _isLonely;

    /// <summary>The events tell when all is done; the database is asked as well, for events told before this program listened.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        do
        {
            await CheckConsumersAsync(cancellationToken);
            if (await client.AskAsync(store => store.FindBatchAsync(batchId, cancellationToken), cancellationToken) is { IsComplete: true })
            {
                return;
            }

            await Task.WhenAny(client.Follower.AllEnded, Task.Delay(DatabaseCheckInterval, time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        } while (!client.Follower.AllEnded.IsCompleted);
    }

    private async Task CheckConsumersAsync(CancellationToken cancellationToken)
    {
        if (_consumersCheckedAt is { } last && time.GetElapsedTime(last) < ConsumerCheckInterval)
        {
            return;
        }

        var consumers = await client.CountConsumersAsync(cancellationToken);
        _consumersCheckedAt = consumers is null ? null : time.GetTimestamp(); // a broker that is away is asked again soon
        if (consumers is { } count && _isLonely != (count == 0))
        {
            _isLonely = count == 0;
            await error.WriteLineAsync($"dsde: {(_isLonely ? client.DescribeNoConsumer() : "a worker is attached now")}");
        }
    }
}
