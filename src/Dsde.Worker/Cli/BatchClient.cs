using Dsde.Batches.Following;
using Dsde.Batches.Reporting;
using Dsde.Persistence;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;
using MassTransit;

namespace Dsde.Worker.Cli;

/// <summary>What the client verbs need: a connection to the broker that sends and follows, and the database.</summary>
internal sealed class BatchClient : IAsyncDisposable
{
    private readonly IHost _host;

    private BatchClient(IHost host) => _host = host;

    /// <summary>Where the broker is, of a client that is connected to it.</summary>
    public RabbitMqOptions RabbitMq { get; private init; } = new();

    public IJobStore Store => _host.Services.GetRequiredService<IJobStore>();

    public IBus Bus => _host.Services.GetRequiredService<IBus>();

    public BatchFollower Follower => _host.Services.GetRequiredService<BatchFollower>();

    public RunTally Tally => _host.Services.GetRequiredService<RunTally>();

    /// <summary>Connects to the database only.</summary>
    public static async Task<BatchClient> OpenDatabaseAsync(CancellationToken cancellationToken)
    {
        var settings = new ProgramSettings();
        var builder = CreateBuilder(settings);
        var client = new BatchClient(builder.Build());
        await client.RequireSchemaAsync(cancellationToken);
        return client;
    }

    /// <summary>Connects to broker and database; follows a batch's events if one is given.</summary>
    /// <exception cref="ExpectedFailureException">The broker can't be reached, or the schema is behind.</exception>
    public static async Task<BatchClient> ConnectAsync(Guid? followed, CancellationToken cancellationToken)
    {
        var settings = new ProgramSettings();
        var rabbitMq = settings.RabbitMq();
        var builder = CreateBuilder(settings);
        builder.Services.AddSingleton<RunTally>();
        builder.Services.AddSingleton(services => new BatchFollower(followed ?? Guid.Empty, services.GetRequiredService<RunTally>()));
        builder.Services.AddRabbitMqClient(rabbitMq, followed is null ? null : bus => bus.AddConsumer<FollowerConsumer>());
        var client = new BatchClient(builder.Build()) { RabbitMq = rabbitMq };
        await client.RequireSchemaAsync(cancellationToken);
        await QueueTopology.DeclareAsync(rabbitMq, cancellationToken);
        await client._host.StartAsync(cancellationToken);
        await client._host.Services.GetRequiredService<IBusControl>().WaitForHealthStatus(BusHealthStatus.Healthy, cancellationToken);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await _host.StopAsync(patience.Token);
        if (_host is IAsyncDisposable disposable)
        {
            await disposable.DisposeAsync();
        }
    }

    private static HostApplicationBuilder CreateBuilder(ProgramSettings settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Critical);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddDsdePersistence(settings.Persistence());
        return builder;
    }

    private async Task RequireSchemaAsync(CancellationToken cancellationToken)
    {
        var migrator = _host.Services.GetRequiredService<IDatabaseMigrator>();
        if ((await migrator.InspectAsync(cancellationToken)).Problem is { } problem)
        {
            throw new ExpectedFailureException(problem);
        }
    }
}
