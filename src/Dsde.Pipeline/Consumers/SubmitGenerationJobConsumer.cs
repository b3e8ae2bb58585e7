using Dsde.Contracts;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Messaging.Incoming;
using Dsde.Pipeline.Messaging.Routing;
using Dsde.Pipeline.Telemetry;
using MassTransit;

namespace Dsde.Pipeline.Consumers;

/// <summary>
/// One job per message: run, announce, and by returning acknowledge. In this order a crash anywhere costs at most an event told twice, with
/// the same id. What came by no lane of its model, or asks for another model than this worker's, is sent on instead.
/// </summary>
/// <param name="jobs">The jobs of this process.</param>
/// <param name="runner">Runs them.</param>
/// <param name="announcer">Tells of their ends.</param>
/// <param name="waitingPlace">For messages of jobs that another worker has.</param>
/// <param name="options">The models that this worker serves.</param>
/// <param name="router">Sends on; null in memory, where queues end with the process and there is no other worker.</param>
internal sealed class SubmitGenerationJobConsumer(
    JobsUnderWay jobs,
    JobRunner runner,
    EndAnnouncer announcer,
    IWaitingPlace waitingPlace,
    WorkerOptions options,
    JobRouter? router = null
) : IConsumer<SubmitGenerationJob>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<SubmitGenerationJob> context)
    {
        var job = context.Message;
        var queue = InputQueue.Of(context.ReceiveContext);
        var lane = Lane.FindByQueue(queue);
        context.TryGetPayload<JobRefusal>(out var refusal);
        if (router is not null && refusal is null && (lane is null || !options.Models.Contains(job.Model, StringComparer.Ordinal)))
        {
            if (await router.RouteAsync(job, context.ReceiveContext, context.CancellationToken) is not { } failure)
            {
                return;
            }

            refusal = new JobRefusal(failure, BodyHash: null);
        }

        var kind = router is null ? JobLane.Bulk : lane?.Kind ?? JobLane.Unrouted;
        var delivery = new JobDelivery(job, kind, refusal)
        {
            SubmittedAt = context.SentTime is { } sent ? new DateTimeOffset(DateTime.SpecifyKind(sent, DateTimeKind.Utc)) : null,
        };
        await RunAsync(context, delivery, queue, lane);
    }

    private async Task RunAsync(ConsumeContext<SubmitGenerationJob> context, JobDelivery delivery, string queue, Lane? lane)
    {
        var job = delivery.Job;
        var origin = MessageOrigin.Of(context);
        using var measured = PipelineMeter.StartProcessing(queue, context.ReceiveContext.Redelivered);
        using var span = JobSpans.StartDelivery(queue, origin.Trace, job.JobId).Describe(context.ReceiveContext, context.MessageId);
        var outcome = await jobs.RunAsync(delivery, runner.RunAsync, context.CancellationToken);
        while (outcome is JobOutcome.HeldElsewhere)
        {
            if (await waitingPlace.PutAwayAsync(job.JobId, lane, context.ReceiveContext, context.CancellationToken))
            {
                span.Conclude(outcome);
                return;
            }

            outcome = await jobs.RunAsync(delivery, runner.RunAsync, context.CancellationToken);
        }

        span.Conclude(outcome);
        switch (outcome)
        {
            case JobOutcome.Ended ended:
                await announcer.AnnounceAsync(job, ended, origin, context.CancellationToken);
                if (ended.DeadLetterReason is { } reason && router is not null)
                {
                    span.Fail(ended.Job.Failure?.Code ?? "_OTHER");
                    throw new JobDeadLetteredException(job.JobId, reason);
                }

                break;
            case JobOutcome.Conflict conflict:
                await announcer.AnnounceAsync(job, conflict, origin, context.CancellationToken);
                break;
            case JobOutcome.HandedBack when router is not null:
                // Returning would acknowledge, and throwing now would send the job to the error queue; once the endpoint stops, the same
                // goes back to the queue.
                await Task.Delay(Timeout.InfiniteTimeSpan, context.CancellationToken);
                break;
        }
    }
}
