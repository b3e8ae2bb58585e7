using Dsde.Batches.Files;
using Dsde.Contracts;
using MassTransit;

namespace Dsde.Batches.Following;

/// <summary>Sends the jobs of a file to their queues.</summary>
/// <param name="endpoints">The bus.</param>
/// <param name="destinationOf">Where a job goes.</param>
internal sealed class JobFeeder(ISendEndpointProvider endpoints, Func<SubmitGenerationJob, Uri> destinationOf)
{
    private const int MostUnconfirmed = 32;

    /// <summary>
    /// Sends every job, and returns when the broker has confirmed them all; with a window, at most that many before some of them have
    /// ended.
    /// </summary>
    /// <param name="lines">The file's lines.</param>
    /// <param name="window">Jobs under way at once; null for no bound, which is for brokers that keep them on disk.</param>
    /// <param name="ends">Released once per job that ended.</param>
    /// <param name="sent">Called with every job sent.</param>
    /// <param name="cancellationToken">Stops sending.</param>
    public async Task SendAsync(
        IAsyncEnumerable<BatchFileLine> lines,
        int? window,
        SemaphoreSlim ends,
        Action<SubmitGenerationJob> sent,
        CancellationToken cancellationToken
    )
    {
        var underWay = 0;
        var unconfirmed = new Queue<Task>();
        await foreach (var line in lines.WithCancellation(cancellationToken))
        {
            if (line.Job is not { } job)
            {
                continue;
            }

            if (underWay >= window)
            {
                await ends.WaitAsync(cancellationToken);
                underWay--;
            }

            if (unconfirmed.Count == MostUnconfirmed)
            {
                await unconfirmed.Dequeue();
            }

            var endpoint = await endpoints.GetSendEndpoint(destinationOf(job));
            unconfirmed.Enqueue(endpoint.Send(job, send => send.MessageId = job.JobId, cancellationToken));
            sent(job);
            underWay++;
        }

        await Task.WhenAll(unconfirmed);
    }
}
