using Dsde.Contracts;
using Dsde.Pipeline.Resilience;
using MassTransit;
using MassTransit.RabbitMqTransport;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>
/// Sends a message that names its sender's user once more, on the same way, without that name. Who moves it later, to an error queue for
/// example, would do so with the name, and the broker closes the channel of whoever sends in the name of another, which gives back all that
/// was delivered on it.
/// </summary>
/// <param name="publisher">Sends messages on.</param>
/// <param name="broker">Waits while it is away.</param>
internal sealed class SenderUserFilter(ConfirmingPublisher publisher, BrokerPatience broker) : IFilter<ReceiveContext>
{
    /// <inheritdoc/>
    public Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        if (!context.TryGetPayload(out RabbitMqBasicConsumeContext? delivery) || !delivery.Properties.IsUserIdPresent())
        {
            return next.Send(context);
        }

        // What came by a routing key goes by it again, through the exchange of jobs: the sender's own may be gone, or be closed to workers.
        var (exchange, key) =
            delivery.Exchange.Length == 0 ? ("", InputQueue.Of(context)) : (QueueNames.GenerationJobs, delivery.RoutingKey ?? "");
        return broker.RunAsync(
            () =>
                publisher.PublishAsync(
                    exchange,
                    key,
                    MessageCopy.Of(delivery.Properties),
                    context.Body.GetBytes(),
                    context.CancellationToken
                ),
            context.CancellationToken
        );
    }

    /// <inheritdoc/>
    public void Probe(ProbeContext context) => context.CreateFilterScope("senderUsers");
}
