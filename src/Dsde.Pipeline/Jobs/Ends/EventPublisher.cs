using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;
using MassTransit;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Jobs.Ends;

/// <summary>
/// Publishes until the broker has confirmed. When a connection breaks, the publishing often notices before the delivery does, and what it
/// throws would send a job that has long ended to the error queue; so it is tried again, on the connection that comes next, until the
/// delivery is known to be lost and the job to come again. An event that the broker refuses for its size is sent in its smaller form, and
/// so is every later one of that size at once: a refusal closes the channel.
/// </summary>
internal sealed class EventPublisher(TimeProvider time, ILogger<EventPublisher> logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private const int EnvelopeBytes = 16 << 10; // at most, with the submitter's ids and the sender's host

    private long _limit = long.MaxValue; // of the broker, as far as it is known

    /// <summary>Returns when the event is confirmed.</summary>
    /// <returns>Whether it was sent whole.</returns>
    /// <param name="endpoint">Where to.</param>
    /// <param name="message">The event.</param>
    /// <param name="messageId">Its id.</param>
    /// <param name="about">The job or batch, which stands for a correlation id if the submitter gave none.</param>
    /// <param name="origin">What it refers to.</param>
    /// <param name="deliveryLost">The delivery it belongs to is lost.</param>
    /// <param name="smaller">The event's smaller form; null if it has none.</param>
    /// <exception cref="OperationCanceledException">The delivery is lost.</exception>
    /// <exception cref="EventTooLargeException">The broker takes no form of it.</exception>
    public async Task<bool> PublishAsync(
        IPublishEndpoint endpoint,
        object message,
        Guid messageId,
        Guid about,
        MessageOrigin origin,
        CancellationToken deliveryLost,
        object? smaller = null
    )
    {
        var isWhole = true;
        var bytes = JobEvents.CountBytes(message);
        using var span = JobSpans.StartPublication(message.GetType().Name);
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            if (isWhole && smaller is not null && bytes + EnvelopeBytes > Interlocked.Read(ref _limit))
            {
                (message, isWhole) = (smaller, false);
                bytes = JobEvents.CountBytes(message);
            }

            try
            {
                // A broker short of memory or disk confirms nothing, for as long as it takes.
                await endpoint
                    .Publish(message, message.GetType(), send => origin.ApplyTo(send, messageId, otherwise: about), deliveryLost)
                    .WaitAsync(deliveryLost);
                return isWhole;
            }
            catch (Exception exception) when (SizeRefusal.FindLimit(exception) is { } limit && !deliveryLost.IsCancellationRequested)
            {
                Interlocked.Exchange(ref _limit, limit);
                if (bytes > limit && (!isWhole || smaller is null))
                {
                    throw new EventTooLargeException(message.GetType().Name, bytes, limit);
                }

                logger.EventNotConfirmed(message.GetType().Name, exception.Message);
                await Task.Delay(pause, time, deliveryLost);
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
