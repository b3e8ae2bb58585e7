using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>A RabbitMQ and a PostgreSQL that only the tests of one class use, and may stop and kill.</summary>
public sealed class BreakableServers : IAsyncLifetime
{
    public BreakableRabbitMq RabbitMq { get; } = new();

    public BreakablePostgres Postgres { get; } = new();

    public async ValueTask InitializeAsync() =>
        await Task.WhenAll(RabbitMq.InitializeAsync().AsTask(), Postgres.InitializeAsync().AsTask());

    public async ValueTask DisposeAsync()
    {
        await RabbitMq.DisposeAsync();
        await Postgres.DisposeAsync();
    }
}
