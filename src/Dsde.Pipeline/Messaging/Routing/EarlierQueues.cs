using Dsde.Contracts;
using Dsde.Pipeline.Messaging.Taking;
using Dsde.Pipeline.Telemetry;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging.Routing;

/// <summary>
/// The queues of jobs from before models had queues of their own. As long as they are there, what is in them, or still comes back to them
/// from workers of that time, is routed. They are never deleted: only an operator knows when the last of those workers is gone.
/// </summary>
internal sealed class EarlierQueues(ConfirmingPublisher publisher, TimeProvider time, ILogger<EarlierQueues> logger) : BackgroundService
{
    /// <summary>Names of the queues.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        QueueNames.GenerationJobs,
        $"{QueueNames.GenerationJobs}-high",
        $"{QueueNames.GenerationJobs}-resumed",
    ];

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Moves what there is.</summary>
    /// <returns>Whether there is any such queue.</returns>
    public async Task<bool> DrainAsync(CancellationToken cancellationToken)
    {
        var connection = await publisher.ConnectAsync(cancellationToken);
        var reader = new QueueReader(connection);
        var isAny = false;
        foreach (var queue in Names)
        {
            if (await reader.FindAsync(queue, cancellationToken) is not { } found)
            {
                continue;
            }

            isAny = true;
            if (queue == QueueNames.GenerationJobs)
            {
                await UnbindAsync(connection, queue, cancellationToken);
            }

            if (found.MessageCount > 0)
            {
                await MoveAsync(reader, queue, cancellationToken);
            }
        }

        return isAny;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (!await DrainAsync(stoppingToken))
                {
                    return;
                }
            }
            catch (Exception exception) when (exception is ExpectedFailureException || BrokerFailure.IsOne(exception))
            {
                // Whoever watches the broker says that it is away.
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                logger.EarlierQueuesNotDrained(exception);
            }
        }
    }

    /// <summary>The exchange of jobs has the name of the queue that it used to lead to: what comes now goes to the models'
    /// queues.</summary>
    private static async Task UnbindAsync(PlainConnection connection, string queue, CancellationToken cancellationToken)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken);
        await channel.QueueUnbindAsync(queue, QueueNames.GenerationJobs, "", cancellationToken: cancellationToken);
    }

    private async Task MoveAsync(QueueReader reader, string queue, CancellationToken cancellationToken)
    {
        var count = 0;
        await foreach (var message in reader.TakeAsync(queue, uint.MaxValue, cancellationToken))
        {
            await publisher.PublishAsync(
                exchange: "",
                QueueNames.UnroutedGenerationJobs,
                MessageCopy.Of(message.Properties),
                message.Body,
                cancellationToken
            );
            await message.AcknowledgeAsync(cancellationToken);
            count++;
        }

        logger.EarlierQueueDrained(count, queue);
    }
}
