using Dsde.Contracts;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Resilience;

namespace Dsde.Pipeline.Jobs.Ends;

/// <summary>
/// Tells once all jobs of a batch have ended. Who stored the last end tells; if that worker died before it did, whoever gets the job of
/// that end again does. Both tell the same event under the same id.
/// </summary>
internal sealed class BatchAnnouncer(IJobStore store, EventPublisher events, DatabasePatience patience) : IDisposable
{
    private readonly SemaphoreSlim _announcing = new(1);

    /// <summary>Tells of a batch whose last end was just stored here.</summary>
    public async Task AnnounceAsync(BatchProgress batch, CancellationToken cancellationToken)
    {
        await _announcing.WaitAsync(cancellationToken);
        try
        {
            await TellAsync(batch, cancellationToken);
        }
        finally
        {
            _announcing.Release();
        }
    }

    /// <summary>Tells of a batch of which a job has ended earlier, if that was the last one and nobody has told yet.</summary>
    public async Task AnnounceIfCompleteAsync(Guid batchId, CancellationToken cancellationToken)
    {
        // Jobs that are delivered again together all see the batch complete; one of them tells.
        await _announcing.WaitAsync(cancellationToken);
        try
        {
            if (
                await patience.RunAsync(() => store.FindBatchAsync(batchId, cancellationToken), cancellationToken) is
                { IsComplete: true, IsAnnounced: false } batch
            )
            {
                await TellAsync(batch, cancellationToken);
            }
        }
        finally
        {
            _announcing.Release();
        }
    }

    public void Dispose() => _announcing.Dispose();

    private async Task TellAsync(BatchProgress batch, CancellationToken cancellationToken)
    {
        var batchEvent = ToEvent(batch);
        await events.PublishAsync(
            batchEvent,
            smaller: null,
            JobEvents.MessageIdOf(batch.BatchId, batchEvent, batch.Reopenings),
            batch.BatchId,
            default,
            cancellationToken
        );
        await patience.RunAsync(() => store.MarkBatchAnnouncedAsync(batch.BatchId, cancellationToken), cancellationToken);
    }

    /// <summary>What is told of a batch all of whose jobs have ended.</summary>
    public static GenerationBatchCompleted ToEvent(BatchProgress batch) =>
        new()
        {
            BatchId = batch.BatchId,
            JobCount = batch.JobCount ?? batch.Ended,
            CompletedCount = batch.Completed,
            FailedCount = batch.Failed,
            CancelledCount = batch.Cancelled,
            CompletedAt = batch.CompletedAt ?? default,
        };
}
