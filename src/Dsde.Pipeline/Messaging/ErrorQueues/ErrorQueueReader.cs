using System.Runtime.CompilerServices;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging.ErrorQueues;

/// <summary>
/// Takes messages from error queues one by one. They are held, not consumed: when the reading ends, all that were not acknowledged are back
/// in their order.
/// </summary>
internal sealed class ErrorQueueReader(IConnection connection)
{
    /// <summary>Messages in a queue; 0 if it was never made.</summary>
    public async Task<uint> CountAsync(ErrorQueue queue, CancellationToken cancellationToken)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        try
        {
            return await channel.MessageCountAsync(queue.Name, cancellationToken);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return 0;
        }
    }

    /// <summary>
    /// Takes at most <paramref name="limit"/> messages, and no more than there are now: a message that fails again at once comes back
    /// behind them.
    /// </summary>
    public async IAsyncEnumerable<TakenMessage> TakeAsync(
        ErrorQueue queue,
        uint limit,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var count = Math.Min(limit, await CountAsync(queue, cancellationToken));
        if (count == 0)
        {
            yield break;
        }

        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        for (
            var position = 1;
            position <= count && await channel.BasicGetAsync(queue.Name, autoAck: false, cancellationToken) is { } message;
            position++
        )
        {
            yield return new TakenMessage(
                queue,
                FailedMessage.Read(queue.Name, position, message.BasicProperties, message.Body),
                message,
                channel
            );
        }
    }
}
