using MassTransit;
using Microsoft.Extensions.Options;

namespace Dsde.Pipeline.Messaging.Attachment;

/// <summary>The worker's bus over RabbitMQ.</summary>
internal sealed class WatchedBus(
    IBusControl bus,
    IOptions<MassTransitHostOptions> options,
    QueueTopology topology,
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
    public Task<string?> FindBrokerFaultAsync(CancellationToken cancellationToken) => topology.FindFaultAsync(cancellationToken);
}
