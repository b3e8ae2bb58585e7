using System.Runtime.CompilerServices;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging.Taking;

/// <summary>
/// Takes messages from queues one by one. They are held, not consumed: when the reading ends, all that were not acknowledged are back in
/// their order.
/// </summary>
internal sealed class QueueReader(PlainConnection connection)
{
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
        for (
            var position = 1;
            position <= count && await channel.BasicGetAsync(queue, autoAck: false, cancellationToken) is { } message;
            position++
        )
        {
            yield return new TakenMessage(queue, position, message, channel);
        }
    }
}
