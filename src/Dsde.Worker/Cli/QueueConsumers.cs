using Dsde.Contracts;
using Dsde.Pipeline;
using Dsde.Pipeline.Messaging;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Worker.Cli;

/// <summary>Whether any worker takes jobs, as the broker knows it.</summary>
internal static class QueueConsumers
{
    /// <summary>Consumers of the queue of jobs; null if the broker can't be asked now.</summary>
    public static async Task<uint?> TryCountAsync(RabbitMqOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await PlainConnection.OpenAsync(options, cancellationToken);
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            return (await channel.QueueDeclarePassiveAsync(QueueNames.GenerationJobs, cancellationToken)).ConsumerCount;
        }
        catch (Exception exception) when (exception is ExpectedFailureException or RabbitMQClientException)
        {
            return null;
        }
    }

    /// <summary>What to tell whoever waits while there is none.</summary>
    public static string DescribeNone(RabbitMqOptions options) =>
        $"no worker is attached to {QueueNames.GenerationJobs} of RabbitMQ at {options.Describe()}: the jobs wait there until one is. "
        + "Start one with: dsde worker";
}
