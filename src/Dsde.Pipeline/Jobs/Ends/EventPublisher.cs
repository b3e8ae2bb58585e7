using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;
using MassTransit;

namespace Dsde.Pipeline.Jobs.Ends;

/// <summary>
/// Publishes until the broker has confirmed. When a connection breaks, the publishing often notices before the delivery does, and what it
/// throws would send a job that has long ended to the error queue; so it is tried again, on the connection that comes next, until the
/// delivery is known to be lost and the job to come again. An event that the broker refuses for its size is sent in its smaller form, and
/// so is every later one of that size at once: a refusal closes the channel.
/// </summary>
/// <param name="bus">The bus itself, whose channel is its own: one of a delivery would take all unacknowledged deliveries of its queue with
/// it when the broker closes it. Looked up late, as the bus in memory needs the consumers, which need this.</param>
/// <param name="broker">Waits while it is away.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed class EventPublisher(Func<IPublishEndpoint> bus, BrokerPatience broker, TimeProvider time, ILogger<EventPublisher> logger)
{
    private const int EnvelopeBytes = 16 << 10; // at most, with the submitter's ids and the sender's host

    private long _limit = long.MaxValue; // of the broker, as far as it is known

    /// <summary>Returns when the event is confirmed.</summary>
    /// <returns>Whether it was sent whole.</returns>
    /// <param name="message">The event.</param>
    /// <param name="smaller">The event's smaller form; null if it has none.</param>
    /// <param name="messageId">Its id.</param>
    /// <param name="about">The job or batch, which stands for a correlation id if the submitter gave none.</param>
    /// <param name="origin">What it refers to.</param>
    /// <param name="deliveryLost">The delivery it belongs to is lost.</param>
    /// <exception cref="OperationCanceledException">The delivery is lost.</exception>
    /// <exception cref="EventTooLargeException">The broker takes no form of it.</exception>
    public Task<bool> PublishAsync(
        object message,
        object? smaller,
        Guid messageId,
        Guid about,
        MessageOrigin origin,
        CancellationToken deliveryLost
    )
    {
        var form = new Form(message, smaller);
        var exchange = $"{message.GetType().Namespace}:{message.GetType().Name}"; // as MassTransit names it
        return broker.RunAsync(
            async () =>
            {
                using var span = JobSpans.StartPublication(exchange, messageId);
                using var measured = PipelineMeter.StartPublishing(exchange);
                form.Fit(Interlocked.Read(ref _limit) - EnvelopeBytes);
                while (!await TryPublishAsync(form, messageId, about, origin, deliveryLost))
                {
                    form.Shrink();
                }

                return form.IsWhole;
            },
            deliveryLost
        );
    }

    /// <summary>False if the broker takes no event of this size, and there is a smaller form.</summary>
    private async Task<bool> TryPublishAsync(Form form, Guid messageId, Guid about, MessageOrigin origin, CancellationToken deliveryLost)
    {
        try
        {
            await SizeRefusal.SendAsync(
                messageId,
                refusal => bus().ConnectPublishObserver(refusal),
                token =>
                    bus().Publish(form.Message, form.Message.GetType(), send => origin.ApplyTo(send, messageId, otherwise: about), token),
                time,
                deliveryLost
            );
            return true;
        }
        catch (MessageTooLargeException refusal)
        {
            var name = form.Message.GetType().Name;
            Interlocked.Exchange(ref _limit, refusal.Limit);
            logger.EventRefused(name, refusal.Bytes, refusal.Limit);
            return form.IsSmallest ? throw new EventTooLargeException(name, refusal.Bytes, refusal.Limit) : false;
        }
    }

    /// <summary>The form of an event in which it is sent.</summary>
    private sealed class Form(object whole, object? smaller)
    {
        public object Message { get; private set; } = whole;

        public bool IsWhole { get; private set; } = true;

        public bool IsSmallest => !IsWhole || smaller is null;

        /// <summary>Takes the smaller form if this one has more bytes, as JSON without the envelope.</summary>
        public void Fit(long bytes)
        {
            if (!IsSmallest && JobEvents.CountBytes(Message) > bytes)
            {
                Shrink();
            }
        }

        /// <summary>Takes the smaller form.</summary>
        public void Shrink() => (Message, IsWhole) = (smaller ?? Message, false);
    }
}
