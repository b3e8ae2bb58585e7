using Dsde.Contracts;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using MassTransit;

namespace Dsde.Worker.Jobs;

/// <summary>Tells once all jobs of a batch have ended. Two workers may both see the last end: they tell the same event under the same id.</summary>
internal sealed class BatchAnnouncer(IJobStore store) : IDisposable
{
    private readonly SemaphoreSlim _announcing = new(1);

    public async Task AnnounceIfCompleteAsync(Guid? batchId, IPublishEndpoint endpoint)
    {
        if (batchId is not { } id || await FindUnannouncedAsync(id) is null)
        {
            return;
        }

        // Jobs that end together all see the batch complete; one of them tells.
        await _announcing.WaitAsync();
        try
        {
            if (await FindUnannouncedAsync(id) is { } batch)
            {
                await endpoint.Publish(ToEvent(batch), send => send.MessageId = NameBasedGuid.Create(id, nameof(GenerationBatchCompleted)));
                await store.MarkBatchAnnouncedAsync(id, CancellationToken.None);
            }
        }
        finally
        {
            _announcing.Release();
        }
    }

    public void Dispose() => _announcing.Dispose();

    private async Task<BatchProgress?> FindUnannouncedAsync(Guid batchId) =>
        await store.FindBatchAsync(batchId, CancellationToken.None) is { IsComplete: true, IsAnnounced: false } batch ? batch : null;

    private static GenerationBatchCompleted ToEvent(BatchProgress batch) => new()
    {
        BatchId = batch.BatchId,
        JobCount = batch.JobCount ?? batch.Ended,
        CompletedCount = batch.Completed,
        FailedCount = batch.Failed,
        CancelledCount = batch.Cancelled,
        CompletedAt = batch.CompletedAt ?? default,
    };
}
