using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;

namespace Dsde.Pipeline.Hosting;

/// <summary>The service: consumers over RabbitMQ, and a port for health and metrics.</summary>
internal static class WorkerApplication
{
    /// <param name="engine">Loaded; the application disposes of it.</param>
    /// <param name="worker">Options.</param>
    /// <param name="rabbitMq">The broker.</param>
    /// <param name="persistence">The database.</param>
    /// <param name="configureLogging">Where logs go.</param>
    public static WebApplication Build(
        IGenerationEngine engine,
        WorkerOptions worker,
        RabbitMqOptions rabbitMq,
        PersistenceOptions persistence,
        Action<ILoggingBuilder> configureLogging
    )
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        configureLogging(builder.Logging);
        builder.WebHost.UseKestrelCore().UseUrls(worker.HealthPort == 0 ? "http://127.0.0.1:0" : $"http://*:{worker.HealthPort}");
        builder.Services.AddRoutingCore();
        builder.Services.AddJobRunning(_ => engine, worker, persistence);
        builder.Services.AddRabbitMqWorker(rabbitMq, worker, engine.Description.BatchSize);
        builder.Services.AddHostedService(services => new ReadyAnnouncer(
            services.GetRequiredService<ILogger<ReadyAnnouncer>>(),
            services,
            rabbitMq
        ));
        builder
            .Services.AddHealthChecks()
            .AddCheck<DatabaseHealth>("database", tags: ["ready"])
            .AddCheck<QueueHealth>("queues", tags: ["ready"]);
        builder.AddDsdeTelemetry();

        var application = builder.Build();
        application.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        application.MapHealthChecks(
            "/health/ready",
            new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready"), ResponseWriter = HealthReportText.WriteAsync }
        );
        application.MapPrometheusScrapingEndpoint();
        return application;
    }
}
