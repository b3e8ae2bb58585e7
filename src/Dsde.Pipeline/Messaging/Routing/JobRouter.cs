using Dsde.Contracts;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Resilience;
using MassTransit;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging.Routing;

/// <summary>
/// Sends jobs on to the queue of their model, as their bodies name it. What no worker has ever served has no queue and is parked. Every
/// message is in its next queue before it is out of the one before, so that a death in between leaves it in both, and never in none.
/// </summary>
internal sealed class JobRouter(
    ConfirmingPublisher publisher,
    SettledQueues queues,
    ParkedJobs parked,
    BrokerPatience broker,
    WorkerOptions options,
    TimeProvider time
)
{
    private readonly TimeSpan _wait = TimeSpan.FromSeconds(options.ModelWaitSeconds);

    /// <summary>Brings a message where its job belongs.</summary>
    /// <param name="job">The job.</param>
    /// <param name="message">Its message.</param>
    /// <param name="deliveryLost">Ends the waiting for a broker that is away: the message comes again.</param>
    /// <returns>
    /// Null if another queue has the message, so that the delivery can be acknowledged; otherwise why the job can't run anywhere.
    /// </returns>
    /// <exception cref="OperationCanceledException">The delivery is lost.</exception>
    public async Task<JobFailure?> RouteAsync(SubmitGenerationJob job, ReceiveContext message, CancellationToken deliveryLost)
    {
        if (!ModelAlias.IsValid(job.Model))
        {
            return JobRules.FindMistake(job, JobFieldNames.InMessages) is { } mistake
                ? new JobFailure(FailureCodes.InvalidRequest, mistake.Message, Retryable: false)
                : NotFound(
                    $"{JobFieldNames.InMessages(nameof(job.Model))} is '{Show(job.Model)}', which no worker can serve; give an alias "
                        + $"({ModelAlias.Allowed})."
                );
        }

        var lane = Lane.Of(job);
        if (await SendAsync(lane.Queue, MessageCopy.Of(message, Parking.IsOne), message, deliveryLost))
        {
            parked.NoteRouted();
            return null;
        }

        var now = time.GetUtcNow();
        var end = Parking.FindEnd(message, now, _wait);
        if (end <= now)
        {
            return NotFound(Parking.Describe(job.Model, _wait));
        }

        var properties = Parking.Enter(MessageCopy.Of(message), lane, now, end);
        await broker.RunAsync(
            () => publisher.PublishAsync(exchange: "", QueueNames.ParkedGenerationJobs, properties, message.Body.GetBytes(), deliveryLost),
            deliveryLost
        );
        parked.NoteParked(lane.Model);
        return null;
    }

    /// <summary>False if there is no such queue. What has just been made is given the time that it needs.</summary>
    private Task<bool> SendAsync(string queue, BasicProperties properties, ReceiveContext message, CancellationToken deliveryLost) =>
        broker.RunAsync(
            async () =>
            {
                if (await queues.RecallRestAsync(queue, deliveryLost) is not { } rest)
                {
                    return false;
                }

                await Task.Delay(rest, time, deliveryLost);
                var isSent = await publisher.TryPublishAsync(exchange: "", queue, properties, message.Body.GetBytes(), deliveryLost);
                if (!isSent)
                {
                    queues.Forget(queue);
                }

                return isSent;
            },
            deliveryLost
        );

    private static string Show(string model) => model.Length <= ModelAlias.MaxLength && JobRules.IsPlain(model) ? model : "...";

    private static JobFailure NotFound(string message) => new(FailureCodes.ModelNotFound, message, Retryable: false);
}
