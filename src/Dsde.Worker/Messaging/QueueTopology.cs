using Dsde.Contracts;
using Dsde.Worker.Cli;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Worker.Messaging;

/// <summary>
/// Declares the job queue exactly as the worker's endpoint does, so that jobs sent before the first worker ever ran have a place to wait.
/// </summary>
internal static class QueueTopology
{
    /// <exception cref="CommandFailedException">The broker can't be reached, or has the queue with other arguments.</exception>
    public static async Task DeclareAsync(RabbitMqOptions options, CancellationToken cancellationToken)
    {
        await using var connection = await PlainConnection.OpenAsync(options, cancellationToken);
        try
        {
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            await DeclareAsync(channel, BusSetup.DeadLetterQueue, [], cancellationToken);
            await DeclareAsync(channel, QueueNames.GenerationJobs, BusSetup.QueueArguments(options), cancellationToken);
        }
        catch (OperationInterruptedException exception)
        {
            throw new CommandFailedException(
                $"RabbitMQ at {options.Describe()} has the queue {QueueNames.GenerationJobs} with other arguments: {exception.ShutdownReason?.ReplyText} Delete the queue, or use another virtual host.",
                exception);
        }
    }

    private static async Task DeclareAsync(IChannel channel, string name, Dictionary<string, object?> arguments, CancellationToken cancellationToken)
    {
        await channel.ExchangeDeclareAsync(name, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: cancellationToken);
        await channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: cancellationToken);
        await channel.QueueBindAsync(name, name, "", cancellationToken: cancellationToken);
    }
}
