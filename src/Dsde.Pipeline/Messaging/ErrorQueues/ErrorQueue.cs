using Dsde.Contracts;
using Dsde.Pipeline.Messaging.Taking;
using MassTransit;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging.ErrorQueues;

/// <summary>Queues of messages that wait for an operator: one of each kind for all models.</summary>
internal static class ErrorQueue
{
    private static readonly string[] WorkerHeaders = ["MT-Fault-", "MT-Host-", MessageHeaders.Reason, MessageHeaders.RedeliveryCount];

    /// <summary>All there are. The first is made with its first message.</summary>
    public static IReadOnlyList<string> Names { get; } = [QueueNames.FailedGenerationJobs, QueueNames.DeadGenerationJobs];

    /// <summary>
    /// Sends a message to the workers again, by the routing key that it came by, then removes it: whatever happens in between, it is in at
    /// least one of both queues, at worst in both.
    /// </summary>
    /// <param name="message">From one of these queues.</param>
    /// <param name="publisher">Where to.</param>
    /// <param name="cancellationToken">To give up.</param>
    public static async Task SendAgainAsync(TakenMessage message, ConfirmingPublisher publisher, CancellationToken cancellationToken)
    {
        var properties = MessageCopy.Of(message.Properties, IsWorkers);
        properties.ClearExpiration();
        await publisher.PublishAsync(
            QueueNames.GenerationJobs,
            (Lane.FindByQueue(message.RoutingKey) ?? Lane.FindByKey(message.RoutingKey))?.RoutingKey ?? "",
            properties,
            message.Body,
            cancellationToken
        );
        await message.AcknowledgeAsync(cancellationToken);
    }

    private static bool IsWorkers(string header) =>
        WorkerHeaders.Any(prefix => header.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}
