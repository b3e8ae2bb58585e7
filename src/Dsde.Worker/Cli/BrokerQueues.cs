using Dsde.Pipeline;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Messaging.Taking;
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
        return await ReadAsync(new QueueReader(connection), names, cancellationToken);
    }

    /// <summary>The same over a connection that is open.</summary>
    /// <exception cref="RabbitMQClientException">It went away, or refused.</exception>
    public static async Task<IReadOnlyList<Overview.Queue>> ReadAsync(
        QueueReader reader,
        IEnumerable<string> names,
        CancellationToken cancellationToken
    )
    {
        var queues = new List<Overview.Queue>();
        foreach (var name in names)
        {
            if (await reader.FindAsync(name, cancellationToken) is { } found)
            {
                queues.Add(new Overview.Queue(name, found.MessageCount, found.ConsumerCount));
            }
        }

        return queues;
    }
}
