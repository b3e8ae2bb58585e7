using Dsde.Contracts;
using Dsde.Persistence;
using Dsde.Worker.Jobs;
using MassTransit;

namespace Dsde.Worker.Consumers;

/// <summary>Cancels a job; every worker gets the command, and the one that runs the job stops it.</summary>
internal sealed class CancelGenerationJobConsumer(IJobStore store, RunningJobs running) : IConsumer<CancelGenerationJob>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<CancelGenerationJob> context)
    {
        await store.CancelJobAsync(context.Message.JobId, context.CancellationToken);
        running.Cancel(context.Message.JobId);
    }
}

/// <summary>Cancels the jobs of a batch that have not ended.</summary>
internal sealed class CancelGenerationBatchConsumer(IJobStore store, RunningJobs running) : IConsumer<CancelGenerationBatch>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<CancelGenerationBatch> context)
    {
        await store.CancelBatchAsync(context.Message.BatchId, context.CancellationToken);
        running.CancelBatch(context.Message.BatchId);
    }
}
