using Dsde.Contracts;
using Dsde.Persistence;
using Dsde.Worker.Hosting;
using Dsde.Worker.Jobs;
using Dsde.Worker.Messaging;
using MassTransit;

namespace Dsde.Worker.Consumers;

/// <summary>
/// One job per message: run, announce, and by returning acknowledge. In this order a crash anywhere costs at most an event told twice, with the same id.
/// </summary>
internal sealed class SubmitGenerationJobConsumer(
    JobsUnderWay jobs, JobRunner runner, BatchAnnouncer batches, WorkerOptions options, TimeProvider time) : IConsumer<SubmitGenerationJob>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<SubmitGenerationJob> context)
    {
        var job = context.Message;
        var refusal = context.TryGetPayload<JobRefusal>(out var refused) ? refused : null;
        var isHigh = Lane.At(context.ReceiveContext.InputAddress).IsHigh;
        switch (await jobs.RunAsync(job, isHigh, () => runner.RunAsync(job, refusal), context.CancellationToken))
        {
            case JobOutcome.Ended ended:
                await PublishAsync(context, job.JobId, JobEvents.Create(ended.Job));
                await batches.AnnounceIfCompleteAsync(job.BatchId, context);
                break;
            case JobOutcome.Conflict conflict:
                await PublishAsync(context, job.JobId, JobEvents.CreateFailed(job.JobId, job.BatchId, job.CustomId, conflict.Failure, job.Metadata, time.GetUtcNow()));
                break;
            case JobOutcome.HandedBack when context.ReceiveContext.InputAddress.Scheme == BusSetup.InMemoryScheme:
                break; // the queue ends with the process
            case JobOutcome.HandedBack:
                // Returning would acknowledge, and throwing now would send the job to the error queue; once the endpoint stops, the same goes back to the queue.
                await Task.Delay(Timeout.InfiniteTimeSpan, context.CancellationToken);
                break;
        }
    }

    private Task PublishAsync(ConsumeContext context, Guid jobId, object jobEvent)
    {
        var messageId = JobEvents.MessageIdOf(jobId, jobEvent);
        return context.Publish(JobEvents.WithBoundedText(jobEvent, options.MaxEventTextBytes), jobEvent.GetType(), send => send.MessageId = messageId)
            .WaitAsync(context.CancellationToken); // a broker short of memory or disk confirms nothing, for as long as it takes
    }
}
