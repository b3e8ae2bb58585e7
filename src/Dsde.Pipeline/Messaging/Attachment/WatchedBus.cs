using MassTransit;
using Microsoft.Extensions.Options;

namespace Dsde.Pipeline.Messaging.Attachment;

/// <summary>The worker's bus over RabbitMQ.</summary>
internal sealed class WatchedBus(
    IBusControl bus,
    IOptions<MassTransitHostOptions> options,
    RabbitMqOptions rabbitMq,
    IReadOnlyList<WatchedEndpoint> endpoints
) : IWatchedBus
{
    /// <inheritdoc/>
    public IReadOnlyList<WatchedEndpoint> Endpoints => endpoints;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => bus.StartAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (options.Value.StopTimeout is { } limit)
        {
            patience.CancelAfter(limit);
        }

        await bus.StopAsync(patience.Token);
    }

    /// <inheritdoc/>
    public async Task<string?> FindBrokerFaultAsync(CancellationToken cancellationToken)
    {
        try
        {
            await QueueTopology.DeclareAsync(rabbitMq, cancellationToken);
            return null;
        }
        catch (ExpectedFailureException exception)
        {
            return exception.Message;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return $"RabbitMQ at {rabbitMq.Describe()} does not answer as it should: {exception.Message}"; // whatever a broker in trouble does
        }
    }
}
