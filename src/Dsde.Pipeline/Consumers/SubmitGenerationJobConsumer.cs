using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;
using MassTransit;

namespace Dsde.Pipeline.Consumers;

/// <summary>
/// One job per message: run, announce, and by returning acknowledge. In this order a crash anywhere costs at most an event told twice, with
/// the same id.
/// </summary>
internal sealed class SubmitGenerationJobConsumer(JobsUnderWay jobs, JobRunner runner, EndAnnouncer announcer, IWaitingPlace waitingPlace)
    : IConsumer<SubmitGenerationJob>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<SubmitGenerationJob> context)
    {
        var job = context.Message;
        var lane = Lane.At(context.ReceiveContext.InputAddress);
        var delivery = new JobDelivery(job, lane.Kind, context.TryGetPayload<JobRefusal>(out var refused) ? refused : null)
        {
            SubmittedAt = context.SentTime is { } sent ? new DateTimeOffset(DateTime.SpecifyKind(sent, DateTimeKind.Utc)) : null,
        };
        var isInMemory = context.ReceiveContext.InputAddress.Scheme == BusSetup.InMemoryScheme; // where queues end with the process
        var origin = MessageOrigin.Of(context);
        using var measured = PipelineMeter.StartProcessing(lane.Queue, context.ReceiveContext.Redelivered);
        using var span = JobSpans.StartDelivery(lane.Queue, origin.Trace, job.JobId);
        var outcome = await jobs.RunAsync(delivery, runner.RunAsync, context.CancellationToken);
        while (outcome is JobOutcome.HeldElsewhere)
        {
            if (await waitingPlace.PutAwayAsync(job.JobId, context.ReceiveContext, context.CancellationToken))
            {
                return;
            }

            outcome = await jobs.RunAsync(delivery, runner.RunAsync, context.CancellationToken);
        }

        switch (outcome)
        {
            case JobOutcome.Ended ended:
                await announcer.AnnounceAsync(job, ended, origin, context.CancellationToken);
                if (ended.DeadLetterReason is { } reason && !isInMemory)
                {
                    throw new JobDeadLetteredException(job.JobId, reason);
                }

                break;
            case JobOutcome.Conflict conflict:
                await announcer.AnnounceAsync(job, conflict, origin, context.CancellationToken);
                break;
            case JobOutcome.HandedBack when !isInMemory:
                // Returning would acknowledge, and throwing now would send the job to the error queue; once the endpoint stops, the same
                // goes back to the queue.
                await Task.Delay(Timeout.InfiniteTimeSpan, context.CancellationToken);
                break;
        }
    }
}
