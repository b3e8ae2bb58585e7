using MassTransit;
using MassTransit.RabbitMqTransport;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>
/// Sends a message that names its sender's user once more, on the same way, without that name. Who moves it later, to an error queue for
/// example, would do so with the name, and the broker closes the channel of whoever sends in the name of another, which gives back all that
/// was delivered on it.
/// </summary>
/// <param name="publisher">Sends messages on.</param>
internal sealed class SenderUserFilter(ConfirmingPublisher publisher) : IFilter<ReceiveContext>
{
    /// <inheritdoc/>
    public Task Send(ReceiveContext context, IPipe<ReceiveContext> next) =>
        context.TryGetPayload(out RabbitMqBasicConsumeContext? delivery) && delivery.Properties.IsUserIdPresent()
            ? publisher.PublishAsync(
                delivery.Exchange,
                delivery.Exchange.Length == 0 ? InputQueue.Of(context) : delivery.RoutingKey ?? "",
                MessageCopy.Of(delivery.Properties),
                context.Body.GetBytes(),
                context.CancellationToken
            )
            : next.Send(context);

    /// <inheritdoc/>
    public void Probe(ProbeContext context) => context.CreateFilterScope("senderUsers");
}
