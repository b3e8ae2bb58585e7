using Dsde.Batches.Files;
using Dsde.Contracts;

namespace Dsde.Batches.Following;

/// <summary>Sends the jobs of a file.</summary>
/// <param name="send">Sends one, and returns when the broker has confirmed it.</param>
internal sealed class JobFeeder(Func<SubmitGenerationJob, CancellationToken, Task> send)
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
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var underWay = 0;
        var unconfirmed = new Queue<Task>();
        try
        {
            await foreach (var job in lines.Select(line => line.Job).OfType<SubmitGenerationJob>().WithCancellation(giveUp.Token))
            {
                if (underWay >= window)
                {
                    await ends.WaitAsync(giveUp.Token);
                    underWay--;
                }

                if (unconfirmed.Count == MostUnconfirmed)
                {
                    await unconfirmed.Dequeue();
                }

                unconfirmed.Enqueue(send(job, giveUp.Token));
                sent(job);
                underWay++;
            }

            await Task.WhenAll(unconfirmed);
        }
        finally
        {
            await giveUp.CancelAsync(); // if one failed, the others
        }
    }
}
