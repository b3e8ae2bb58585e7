using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Pipeline.Consumers;
using Dsde.Pipeline.Jobs.Checkpoints;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;
using MassTransit;

namespace Dsde.Pipeline.Hosting;

/// <summary>What runs jobs, the same in <c>dsde run</c> and <c>dsde worker</c>; transport and database are chosen beside it.</summary>
internal static class WorkerServices
{
    /// <param name="services">Where to.</param>
    /// <param name="engine">Loaded before anything is taken from a queue; disposed with the services.</param>
    /// <param name="options">The worker's.</param>
    /// <param name="persistence">The database.</param>
    public static IServiceCollection AddJobRunning(
        this IServiceCollection services,
        Func<IServiceProvider, IGenerationEngine> engine,
        WorkerOptions options,
        PersistenceOptions persistence
    )
    {
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton(WorkerIdentity.Create(options));
        services.AddSingleton(engine);
        services.AddSingleton<HeldJobs>();
        services.AddSingleton<JobValidator>();
        services.AddSingleton<DatabasePatience>();
        services.AddSingleton<BrokerPatience>();
        services.AddSingleton<EngineGate>();
        services.AddSingleton<CheckpointWriter>();
        services.AddSingleton<OutputGenerator>();
        services.AddSingleton<JobAttempt>();
        services.AddSingleton<JobRunner>();
        services.AddSingleton<EndedJobs>();
        services.AddSingleton(provider => new JobsUnderWay(
            provider.GetRequiredService<WorkerMetrics>(),
            provider.GetRequiredService<EndedJobs>(),
            provider.GetRequiredService<IGenerationEngine>().Description.BatchSize + options.PrefetchMargin
        ));
        services.AddSingleton(provider => new EventPublisher(
            provider.GetRequiredService<IBus>,
            provider.GetRequiredService<BrokerPatience>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<EventPublisher>>()
        ));
        services.AddSingleton<BatchAnnouncer>();
        services.AddSingleton<EndAnnouncer>();
        services.AddSingleton<SubmitGenerationJobConsumer>();
        services.AddSingleton<CancelGenerationJobConsumer>();
        services.AddSingleton<CancelGenerationBatchConsumer>();
        services.AddSingleton<WorkerMetrics>();
        services.AddSingleton<EngineWatch>();
        services.AddSingleton<IEngineLiveness>(provider => provider.GetRequiredService<EngineWatch>());
        services.AddDsdePersistence(persistence);
        services.AddHostedService<WorkerPresence>(); // the first to start and the last to stop
        services.AddHostedService(provider => provider.GetRequiredService<CheckpointWriter>());
        services.AddHostedService<LeaseRenewal>();
        services.AddHostedService<UpkeepTimer>();
        services.AddHostedService<DrainTimer>();
        return services;
    }
}
