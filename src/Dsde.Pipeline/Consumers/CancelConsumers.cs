using Dsde.Contracts;
using Dsde.Persistence;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;
using MassTransit;

namespace Dsde.Pipeline.Consumers;

/// <summary>
/// Cancels a job. Every worker gets the command: what runs here stops, and the mark in the database reaches the worker that has the job but
/// missed the command, and the one that gets it later. Only who has the job writes its end.
/// </summary>
internal sealed class CancelGenerationJobConsumer(
    IJobStore store,
    HeldJobs heldJobs,
    DatabasePatience patience,
    ILogger<CancelGenerationJobConsumer> logger
) : IConsumer<CancelGenerationJob>
{
    /// <inheritdoc/>
    public Task Consume(ConsumeContext<CancelGenerationJob> context)
    {
        logger.JobCancelled(context.Message.JobId);
        heldJobs.CancelJob(context.Message.JobId);
        return patience.RunAsync(() => store.CancelJobAsync(context.Message.JobId, context.CancellationToken), context.CancellationToken);
    }
}

/// <summary>Cancels the jobs of a batch that have not ended, those that nobody knows yet included.</summary>
internal sealed class CancelGenerationBatchConsumer(
    IJobStore store,
    HeldJobs heldJobs,
    DatabasePatience patience,
    ILogger<CancelGenerationBatchConsumer> logger
) : IConsumer<CancelGenerationBatch>
{
    /// <inheritdoc/>
    public Task Consume(ConsumeContext<CancelGenerationBatch> context)
    {
        logger.BatchCancelled(context.Message.BatchId);
        heldJobs.CancelBatch(context.Message.BatchId);
        return patience.RunAsync(
            () => store.CancelBatchAsync(context.Message.BatchId, context.CancellationToken),
            context.CancellationToken
        );
    }
}
