using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging.Taking;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;
using MassTransit;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// Where the message of a job waits whose claim another worker has: in the broker, and not in a consumer, where it would take the place of
/// a job that can run. After some seconds the broker passes it on to the lane of its model for resumed jobs, and somebody looks at the job
/// again. One queue is for all models: the message brings the routing key of its lane.
/// </summary>
/// <param name="publisher">Sends messages on.</param>
/// <param name="broker">Waits while it is away.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed class WaitingQueue(ConfirmingPublisher publisher, BrokerPatience broker, TimeProvider time, ILogger<WaitingQueue> logger)
    : IWaitingPlace
{
    /// <summary>How long a message waits before its job is looked at again.</summary>
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan CountPatience = TimeSpan.FromSeconds(5);

    private readonly RecentIds _noted = new(time, TimeSpan.FromHours(1), capacity: 10_000);
    private volatile int _waiting;

    /// <inheritdoc/>
    public int WaitingCount => _waiting;

    /// <inheritdoc/>
    public async Task<bool> PutAwayAsync(Guid jobId, Lane? lane, ReceiveContext message, CancellationToken deliveryLost)
    {
        var isTold = false;
        await broker.RunAsync(
            async () =>
            {
                try
                {
                    await PublishAsync(lane, message, deliveryLost);
                }
                catch (Exception exception) when (!isTold && BrokerPatience.IsRefusal(exception))
                {
                    logger.MessageNotPutAway(jobId, exception.Message);
                    isTold = true;
                    throw;
                }
            },
            deliveryLost
        );
        Note(jobId);
        return true;
    }

    /// <inheritdoc/>
    public async Task CountAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(CountPatience);
        try
        {
            var reader = new QueueReader(await publisher.ConnectAsync(limit.Token));
            _waiting = (int)await reader.CountAsync(QueueNames.HeldGenerationJobs, limit.Token);
        }
        catch (Exception exception)
            when (exception is ExpectedFailureException
                || (
                    BrokerPatience.IsLost(exception)
                    && !(exception is OperationCanceledException && cancellationToken.IsCancellationRequested)
                )
            )
        {
            // Whoever watches the broker says that it is away.
        }
    }

    /// <summary>Returns when the broker has a copy of the message, so that the delivery can be acknowledged.</summary>
    private async Task PublishAsync(Lane? lane, ReceiveContext message, CancellationToken cancellationToken)
    {
        var properties = MessageCopy.Of(message);
        properties.ClearExpiration();
        await publisher.PublishAsync(
            QueueNames.HeldGenerationJobs,
            lane is null ? "" : (lane with { Kind = JobLane.Resumed }).RoutingKey,
            properties,
            message.Body.GetBytes(),
            cancellationToken
        );
    }

    /// <summary>A message may wait many times; one line is enough.</summary>
    private void Note(Guid jobId)
    {
        if (!_noted.Contains(jobId))
        {
            _noted.Add(jobId);
            logger.JobHeldElsewhere(jobId);
        }
    }
}
