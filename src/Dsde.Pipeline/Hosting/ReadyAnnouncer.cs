using Dsde.Engine;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Messaging.Attachment;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Hosting;

/// <summary>Says in the log, once the bus is attached, what this worker does.</summary>
internal sealed class ReadyAnnouncer(
    ILogger<ReadyAnnouncer> logger,
    IServiceProvider services,
    WorkerOptions worker,
    RabbitMqOptions rabbitMq
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        services.GetRequiredService<WorkerMetrics>(); // so that the instruments are there before the first job is

        // Connecting goes on in the background for as long as it takes.
        await Task.WhenAll(services.GetRequiredService<IWatchedBus>().Endpoints.Select(endpoint => endpoint.FirstAttached))
            .WaitAsync(stoppingToken);
        var engine = services.GetRequiredService<IGenerationEngine>().Description;
        logger.WorkerReady(
            services.GetRequiredService<WorkerIdentity>().WorkerId,
            string.Join(", ", worker.Models),
            engine.BatchSize,
            rabbitMq.Describe(),
            services.GetRequiredService<IDatabaseMigrator>().Database,
            engine.Target
        );
    }
}
