using System.Runtime.CompilerServices;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using ChannelClosedException = System.Threading.Channels.ChannelClosedException;

namespace Dsde.Pipeline.Messaging.Taking;

/// <summary>
/// Takes messages from queues. They are held: when the reading ends, all that were not acknowledged are back in their order.
/// </summary>
/// <remarks>
/// Held by a few consumers, and not got one by one. To RabbitMQ 3.10 every <c>basic.get</c> is a consumer of its own, and it takes back the
/// messages of more than 32 consumers of a channel in an order that is another one when it starts again: then what was acknowledged is in
/// the queue, and as many that were not are gone.
/// </remarks>
internal sealed class QueueReader(PlainConnection connection)
{
    /// <summary>Messages that the first consumer is sent at once. Each further one, which comes when the ones before hold all that they
    /// may, is sent half as many more: what is acknowledged at once takes little memory, and hundreds of thousands can be held.</summary>
    private const int FirstWindow = 32;

    private const int MostConsumers = 31;

    /// <summary>When nothing has come for so long, somebody else may have taken what there was.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private const int MostLooks = 100;

    /// <summary>When a queue seems to be empty, the rest may still be on its way here: large messages, a slow connection.</summary>
    private static readonly TimeSpan LastPause = TimeSpan.FromSeconds(5);

    /// <summary>What a queue has at the moment; null if it was never made. Being told so costs a channel.</summary>
    public async Task<QueueDeclareOk?> FindAsync(string queue, CancellationToken cancellationToken)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken);
        try
        {
            return await channel.QueueDeclarePassiveAsync(queue, cancellationToken);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return null;
        }
    }

    /// <summary>Messages in a queue that nobody has been given; 0 if it was never made.</summary>
    public async Task<uint> CountAsync(string queue, CancellationToken cancellationToken) =>
        (await FindAsync(queue, cancellationToken))?.MessageCount ?? 0;

    /// <summary>
    /// Takes at most <paramref name="limit"/> messages, and no more than there are now: one that comes back at once comes behind them.
    /// </summary>
    public async IAsyncEnumerable<TakenMessage> TakeAsync(
        string queue,
        uint limit,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var count = Math.Min(limit, await CountAsync(queue, cancellationToken));
        if (count == 0)
        {
            yield break;
        }

        await using var channel = await connection.CreateChannelAsync(cancellationToken);
        var deliveries = new Deliveries(channel);
        var (consumers, window, held) = (0, FirstWindow, FirstWindow);
        for (var position = 1; position <= count; position++)
        {
            if (held >= window) // the last consumer holds all that it may
            {
                if (consumers == MostConsumers)
                {
                    yield break;
                }

                window = consumers == 0 ? FirstWindow : Math.Min(window + (window / 2), ushort.MaxValue);
                await channel.BasicQosAsync(
                    prefetchSize: 0,
                    (ushort)Math.Min(window, count - position + 1),
                    global: false,
                    cancellationToken
                );
                await channel.BasicConsumeAsync(queue, autoAck: false, $"taking-{consumers++:D3}", deliveries, cancellationToken);
                held = 0;
            }

            if (await ReadAsync(deliveries, queue, cancellationToken) is not { } delivery)
            {
                yield break;
            }

            var message = new TakenMessage(queue, position, delivery, channel);
            yield return message;
            held += message.IsAcknowledged ? 0 : 1;
        }
    }

    /// <summary>Null if there is none any more.</summary>
    private async Task<Deliveries.Delivery?> ReadAsync(Deliveries deliveries, string queue, CancellationToken cancellationToken)
    {
        try
        {
            for (var looks = 0; looks < MostLooks; looks++)
            {
                if (await deliveries.TryReadAsync(Pause, cancellationToken) is { } next)
                {
                    return next;
                }

                if (await CountAsync(queue, cancellationToken) == 0)
                {
                    return await deliveries.TryReadAsync(LastPause, cancellationToken);
                }
            }

            throw new ExpectedFailureException($"RabbitMQ has messages in {queue} and delivers none; see the broker's log.");
        }
        catch (ChannelClosedException closed) when (closed.InnerException is { } reason)
        {
            throw reason;
        }
        catch (ChannelClosedException)
        {
            return null; // the queue was deleted
        }
    }
}
