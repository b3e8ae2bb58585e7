using Dsde.Contracts;
using Dsde.Persistence;
using MassTransit;

namespace Dsde.Worker.Jobs;

/// <summary>Tells once all jobs of a batch have ended. Two workers may both see the last end: they tell the same event under the same id.</summary>
internal sealed class BatchAnnouncer(IJobStore store)
{
    public async Task AnnounceIfCompleteAsync(Guid? batchId, IPublishEndpoint endpoint)
    {
        if (batchId is not { } id || await store.FindBatchAsync(id, CancellationToken.None) is not { IsComplete: true, IsAnnounced: false, LastEndedAt: { } endedAt } batch)
        {
            return;
        }

        var completed = new GenerationBatchCompleted
        {
            BatchId = id,
            JobCount = batch.JobCount,
            CompletedCount = batch.Completed,
            FailedCount = batch.Failed,
            CancelledCount = batch.Cancelled,
            CompletedAt = endedAt,
        };
        await endpoint.Publish(completed, send => send.MessageId = NameBasedGuid.Create(id, nameof(GenerationBatchCompleted)));
        await store.MarkAnnouncedAsync(id, CancellationToken.None);
    }
}
