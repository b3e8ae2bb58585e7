using System.Text.Json;
using System.Text.Json.Serialization;
using Dsde.Contracts;
using Dsde.Pipeline;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Benchmarks.Pipeline;

/// <summary>The queue of a model as a plain client sees it: filled before a measurement, or emptied as fast as the broker gives.</summary>
internal sealed class BenchQueue : IAsyncDisposable
{
    /// <summary>Alias of the model that is measured.</summary>
    public const string Model = "dsde-bench";

    private const int MostUnconfirmed = 256;
    private static readonly Lane Jobs = new(Model, JobLane.Bulk);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly PlainConnection _connection;
    private bool _isOwn;

    private BenchQueue(PlainConnection connection) => _connection = connection;

    /// <summary>Connects, and makes sure that nobody else's jobs are in the queue.</summary>
    /// <exception cref="ExpectedFailureException">The broker can't be reached, or the queue is in use.</exception>
    public static async Task<BenchQueue> OpenAsync(RabbitMqOptions options, CancellationToken cancellationToken)
    {
        await new QueueTopology(options, [Model]).DeclareAsync(cancellationToken);
        var queue = new BenchQueue(await PlainConnection.OpenAsync(options, cancellationToken));
        try
        {
            await queue.RequireUnusedAsync(options, cancellationToken);
            queue._isOwn = true;
            return queue;
        }
        catch
        {
            await queue.DisposeAsync();
            throw;
        }
    }

    /// <summary>Puts jobs into the queue, as raw JSON; returns when the broker has confirmed them all.</summary>
    public async Task FillAsync(IEnumerable<SubmitGenerationJob> jobs, CancellationToken cancellationToken)
    {
        await using var channel = await _connection.CreateChannelAsync(cancellationToken, confirms: true);
        var properties = new BasicProperties { ContentType = "application/json", Persistent = true };
        var unconfirmed = new Queue<Task>();
        foreach (var job in jobs)
        {
            if (unconfirmed.Count == MostUnconfirmed)
            {
                await unconfirmed.Dequeue();
            }

            unconfirmed.Enqueue(
                channel
                    .BasicPublishAsync(
                        QueueNames.GenerationJobs,
                        Jobs.RoutingKey,
                        mandatory: true,
                        properties,
                        JsonSerializer.SerializeToUtf8Bytes(job, Json),
                        cancellationToken
                    )
                    .AsTask()
            );
        }

        await Task.WhenAll(unconfirmed);
    }

    /// <summary>Takes and acknowledges messages, one by one, and does nothing with them.</summary>
    /// <returns>How long it took, from the first message until the broker had dealt with the last acknowledgement.</returns>
    public async Task<TimeSpan> DrainAsync(int count, ushort prefetch, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var channel = await _connection.CreateChannelAsync(cancellationToken);
        await channel.BasicQosAsync(0, prefetch, global: false, cancellationToken);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var (taken, start) = (0, 0L);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            if (++taken == 1)
            {
                start = time.GetTimestamp();
            }

            await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false, cancellationToken);
            if (taken == count)
            {
                done.TrySetResult();
            }
        };
        await channel.BasicConsumeAsync(Jobs.Queue, autoAck: false, consumer, cancellationToken);
        await done.Task.WaitAsync(cancellationToken);
        await channel.CloseAsync(cancellationToken); // answered when the acknowledgements have been dealt with
        return time.GetElapsedTime(start);
    }

    /// <summary>Leaves the queue empty.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_connection.IsOpen && _isOwn)
        {
            await using var channel = await _connection.CreateChannelAsync(CancellationToken.None);
            await channel.QueuePurgeAsync(Jobs.Queue);
        }

        await _connection.DisposeAsync();
    }

    private async Task RequireUnusedAsync(RabbitMqOptions options, CancellationToken cancellationToken)
    {
        await using var channel = await _connection.CreateChannelAsync(cancellationToken);
        foreach (var queue in new[] { Jobs.Queue, QueueNames.UnroutedGenerationJobs, QueueNames.ParkedGenerationJobs })
        {
            var state = await channel.QueueDeclarePassiveAsync(queue, cancellationToken);
            if (state.MessageCount > 0 || state.ConsumerCount > 0)
            {
                throw new ExpectedFailureException(
                    $"The queue {queue} on {options.Describe()} is in use: {state.MessageCount} messages, {state.ConsumerCount} consumers. "
                        + $"Measure in a virtual host of its own ({RabbitMqOptions.SectionName}:VirtualHost)."
                );
            }
        }
    }
}
