using System.Threading.Channels;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging.Taking;

/// <summary>What a consumer was sent and nobody has read yet.</summary>
internal sealed class Deliveries(IChannel channel) : AsyncDefaultBasicConsumer(channel)
{
    private readonly Channel<Delivery> _arrived = System.Threading.Channels.Channel.CreateUnbounded<Delivery>();

    /// <summary>The next one, if there is one before the pause is over; null if not.</summary>
    /// <exception cref="ChannelClosedException">There will be none: its reason is the inner exception.</exception>
    public async Task<Delivery?> TryReadAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        try
        {
            await _arrived.Reader.WaitToReadAsync(cancellationToken).AsTask().WaitAsync(pause, cancellationToken);
            return await _arrived.Reader.ReadAsync(cancellationToken);
        }
        catch (TimeoutException)
        {
            return _arrived.Reader.TryRead(out var late) ? late : null;
        }
    }

    /// <inheritdoc/>
    public override Task HandleBasicDeliverAsync(
        string consumerTag,
        ulong deliveryTag,
        bool redelivered,
        string exchange,
        string routingKey,
        IReadOnlyBasicProperties properties,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken = default
    )
    {
        if (!cancellationToken.IsCancellationRequested) // the channel is being closed
        {
            byte[] copy = [.. body.Span]; // the client library uses its memory again
            _arrived.Writer.TryWrite(new Delivery(deliveryTag, routingKey, properties, copy));
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task HandleChannelShutdownAsync(object channel, ShutdownEventArgs reason)
    {
        _arrived.Writer.TryComplete(new OperationInterruptedException(reason));
        return base.HandleChannelShutdownAsync(channel, reason);
    }

    /// <summary>Its queue was deleted, or it was cancelled itself.</summary>
    protected override Task OnCancelAsync(string[] consumerTags, CancellationToken cancellationToken = default)
    {
        _arrived.Writer.TryComplete();
        return base.OnCancelAsync(consumerTags, cancellationToken);
    }

    /// <summary>A message as it came.</summary>
    /// <param name="Tag">By which it is acknowledged.</param>
    /// <param name="RoutingKey">By which it came to the queue.</param>
    /// <param name="Properties">What it says of itself.</param>
    /// <param name="Body">Its body.</param>
    internal sealed record Delivery(ulong Tag, string RoutingKey, IReadOnlyBasicProperties Properties, ReadOnlyMemory<byte> Body);
}
