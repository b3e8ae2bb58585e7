using Dsde.Pipeline;
using Dsde.Pipeline.Messaging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Worker.Cli;

/// <summary>Asks the broker for its queues, without making any.</summary>
internal static class BrokerQueues
{
    /// <summary>Those of the names that exist.</summary>
    /// <exception cref="ExpectedFailureException">The broker can't be reached, or doesn't let the user in.</exception>
    /// <exception cref="RabbitMQClientException">It went away, or refused.</exception>
    public static async Task<IReadOnlyList<Overview.Queue>> ReadAsync(
        RabbitMqOptions rabbitMq,
        IEnumerable<string> names,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await PlainConnection.OpenAsync(rabbitMq, cancellationToken);
        var queues = new List<Overview.Queue>();
        foreach (var name in names)
        {
            if (await FindAsync(connection, name, cancellationToken) is { } queue)
            {
                queues.Add(queue);
            }
        }

        return queues;
    }

    /// <summary>Null for a queue that was never made; being told so costs the channel.</summary>
    private static async Task<Overview.Queue?> FindAsync(IConnection connection, string name, CancellationToken cancellationToken)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        try
        {
            var found = await channel.QueueDeclarePassiveAsync(name, cancellationToken);
            return new Overview.Queue(name, found.MessageCount, found.ConsumerCount);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return null;
        }
    }
}
