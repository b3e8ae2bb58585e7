using Dsde.Pipeline.Resilience;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// Declares the queues of jobs exactly as the worker's endpoints do, so that jobs sent before the first worker ever ran have a place to
/// wait.
/// </summary>
internal static class QueueTopology
{
    /// <summary>Declares them, if they are not there.</summary>
    /// <exception cref="BrokerUnavailableException">The broker can't be reached, or goes away meanwhile.</exception>
    /// <exception cref="ExpectedFailureException">It doesn't let the user, or has a queue with other arguments.</exception>
    public static async Task DeclareAsync(RabbitMqOptions options, CancellationToken cancellationToken)
    {
        await using var connection = await PlainConnection.OpenAsync(options, cancellationToken);
        try
        {
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            foreach (var lane in Lane.All)
            {
                await DeclareAsync(channel, lane.DeadLetterQueue, [], cancellationToken);
                await DeclareAsync(channel, lane.Queue, lane.QueueArguments(options), cancellationToken);
            }

            await WaitingQueue.DeclareAsync(channel, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && BrokerPatience.IsLost(exception))
        {
            throw BrokerFailure.Create(options, exception);
        }
    }

    /// <summary>Declares them, and says what is wrong; null if nothing is.</summary>
    public static async Task<string?> FindFaultAsync(RabbitMqOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await DeclareAsync(options, cancellationToken);
            return null;
        }
        catch (ExpectedFailureException exception)
        {
            return exception.Message;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Whatever a broker in trouble does.
            return $"RabbitMQ at {options.Describe()} does not answer as it should: {exception.Message}";
        }
    }

    private static async Task DeclareAsync(
        IChannel channel,
        string name,
        Dictionary<string, object?> arguments,
        CancellationToken cancellationToken
    )
    {
        await channel.ExchangeDeclareAsync(
            name,
            ExchangeType.Fanout,
            durable: true,
            autoDelete: false,
            cancellationToken: cancellationToken
        );
        await channel.QueueDeclareAsync(
            name,
            durable: true,
            exclusive: false,
            autoDelete: false,
            arguments,
            cancellationToken: cancellationToken
        );
        await channel.QueueBindAsync(name, name, "", cancellationToken: cancellationToken);
    }
}
