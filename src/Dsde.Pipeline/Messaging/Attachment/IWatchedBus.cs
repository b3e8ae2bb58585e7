namespace Dsde.Pipeline.Messaging.Attachment;

/// <summary>What the watchdog needs of bus and broker.</summary>
internal interface IWatchedBus
{
    /// <summary>What takes messages.</summary>
    IReadOnlyList<WatchedEndpoint> Endpoints { get; }

    /// <summary>Starts the bus, without its endpoints.</summary>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Stops the bus with its endpoints, which first deal with what they have.</summary>
    Task StopAsync(CancellationToken cancellationToken);

    /// <summary>Asks the broker, over a connection of its own, for all that the endpoints need.</summary>
    /// <returns>What is wrong; null if nothing is.</returns>
    Task<string?> FindBrokerFaultAsync(CancellationToken cancellationToken);
}
