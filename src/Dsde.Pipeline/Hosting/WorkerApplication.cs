using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Pipeline.Messaging;

namespace Dsde.Pipeline.Hosting;

/// <summary>What takes jobs from RabbitMQ and runs them, once there is an engine.</summary>
internal static class WorkerApplication
{
    /// <param name="engine">Loaded; the application disposes of it.</param>
    /// <param name="worker">Options.</param>
    /// <param name="rabbitMq">The broker.</param>
    /// <param name="persistence">The database.</param>
    /// <param name="loggers">Where logs go; stays the caller's.</param>
    public static IHost Build(
        IGenerationEngine engine,
        WorkerOptions worker,
        RabbitMqOptions rabbitMq,
        PersistenceOptions persistence,
        ILoggerFactory loggers
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder.Services.AddMetrics();
        builder.Services.AddJobRunning(_ => engine, worker, persistence);
        builder.Services.AddRabbitMqWorker(rabbitMq, worker, engine.Description.BatchSize);
        builder.Services.AddHostedService<EngineWatch>(services => services.GetRequiredService<EngineWatch>());
        builder.Services.AddHostedService(services => new ReadyAnnouncer(
            services.GetRequiredService<ILogger<ReadyAnnouncer>>(),
            services,
            worker,
            rabbitMq
        ));
        builder
            .Services.AddHealthChecks()
            .AddCheck<DatabaseHealth>("database", tags: [WorkerHealth.ReadyTag])
            .AddCheck<QueueHealth>("queues", tags: [WorkerHealth.ReadyTag])
            .AddCheck<ClaimsHealth>("claims", tags: [WorkerHealth.ReadyTag])
            .AddCheck<ParkedHealth>("models", tags: [WorkerHealth.ReadyTag])
            .AddCheck<EngineHealth>("engine", tags: [WorkerHealth.LiveTag, WorkerHealth.ReadyTag]);
        return builder.Build();
    }
}
