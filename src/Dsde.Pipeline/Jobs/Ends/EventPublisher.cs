using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;
using MassTransit;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Jobs.Ends;

/// <summary>
/// Publishes until the broker has confirmed. When a connection breaks, the publishing often notices before the delivery does, and what it
/// throws would send a job that has long ended to the error queue; so it is tried again, on the connection that comes next, until the
/// delivery is known to be lost and the job to come again.
/// </summary>
internal sealed class EventPublisher(TimeProvider time, ILogger<EventPublisher> logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>Returns when the event is confirmed.</summary>
    /// <param name="endpoint">Where to.</param>
    /// <param name="message">The event.</param>
    /// <param name="messageId">Its id.</param>
    /// <param name="about">The job or batch, which stands for a correlation id if the submitter gave none.</param>
    /// <param name="origin">What it refers to.</param>
    /// <param name="deliveryLost">The delivery it belongs to is lost.</param>
    /// <exception cref="OperationCanceledException">The same.</exception>
    public async Task PublishAsync(
        IPublishEndpoint endpoint,
        object message,
        Guid messageId,
        Guid about,
        MessageOrigin origin,
        CancellationToken deliveryLost
    )
    {
        using var span = JobSpans.StartPublication(message.GetType().Name);
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                // A broker short of memory or disk confirms nothing, for as long as it takes.
                await endpoint
                    .Publish(message, message.GetType(), send => origin.ApplyTo(send, messageId, otherwise: about), deliveryLost)
                    .WaitAsync(deliveryLost);
                return;
            }
            catch (Exception exception) when (IsTheBrokers(exception) && !deliveryLost.IsCancellationRequested)
            {
                logger.EventNotConfirmed(message.GetType().Name, exception.Message);
                await Task.Delay(pause, time, deliveryLost);
            }
        }
    }

    /// <summary>
    /// Not the event's own: a connection or channel that has gone says so in many ways, one of them being that the operation was cancelled.
    /// </summary>
    private static bool IsTheBrokers(Exception exception) =>
        exception
            is RabbitMQClientException
                or IOException
                or TimeoutException
                or OperationCanceledException
                or ObjectDisposedException
                or MassTransitException;
}
