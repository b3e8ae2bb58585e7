using System.Text;
using Dsde.Testing;
using Npgsql;
using RabbitMQ.Client;

namespace Dsde.EndToEnd.Tests;

/// <summary>The means to break things break them: a test of survival that killed nothing would pass.</summary>
public sealed class ServerControlTests(BreakableServers servers) : IClassFixture<BreakableServers>
{
    [Fact]
    public async Task A_killed_PostgreSQL_is_gone_and_comes_back_with_what_was_committed()
    {
        var connectionString = await servers.Postgres.CreateDatabaseAsync() + ";Pooling=false";
        await ExecuteAsync(connectionString, "CREATE TABLE kept AS SELECT 7 AS value");

        await servers.Postgres.Server.KillAsync();
        await Should.ThrowAsync<NpgsqlException>(() => ExecuteAsync(connectionString, "SELECT 1"));
        await servers.Postgres.Server.RestartAsync();

        (await ExecuteAsync(connectionString, "SELECT value FROM kept")).ShouldBe(7);
    }

    [Fact]
    public async Task Cut_connections_to_a_database_are_gone()
    {
        var connectionString = await servers.Postgres.CreateDatabaseAsync() + ";Pooling=false";
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);

        (await servers.Postgres.CutConnectionsAsync(connectionString)).ShouldBe(1);

        await using var command = new NpgsqlCommand("SELECT 1", connection);
        await Should.ThrowAsync<NpgsqlException>(() => command.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_killed_RabbitMQ_is_gone_and_comes_back_with_what_was_confirmed()
    {
        var virtualHost = await servers.RabbitMq.CreateVirtualHostAsync();
        await using var tap = await EventTap.OpenAsync(servers.RabbitMq.Port, virtualHost);
        await DeclareAndSendAsync(virtualHost, "classic");
        await DeclareAndSendAsync(virtualHost, "quorum");
        await servers.RabbitMq.SettleAsync();

        await servers.RabbitMq.Server.KillAsync();
        await Should.ThrowAsync<Exception>(() => tap.PublishAsync("{}", queue: "classic"));
        await servers.RabbitMq.Server.RestartAsync();

        Encoding.UTF8.GetString((await tap.TakeAsync("classic")).Body.Span).ShouldBe("a message of classic");
        Encoding.UTF8.GetString((await tap.TakeAsync("quorum")).Body.Span).ShouldBe("a message of quorum");
    }

    [Fact]
    public async Task Cut_connections_to_the_broker_are_gone()
    {
        var virtualHost = await servers.RabbitMq.CreateVirtualHostAsync();
        await using var connection = await new ConnectionFactory
        {
            HostName = "127.0.0.1",
            Port = servers.RabbitMq.Port,
            VirtualHost = virtualHost,
            AutomaticRecoveryEnabled = false,
        }.CreateConnectionAsync(TestContext.Current.CancellationToken);
        var gone = new TaskCompletionSource();
        connection.ConnectionShutdownAsync += (_, _) =>
        {
            gone.TrySetResult();
            return Task.CompletedTask;
        };

        (await servers.RabbitMq.CutConnectionsAsync(virtualHost)).ShouldBe(1);

        await gone.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    /// <summary>Leaves a message in a new queue that is named like its type.</summary>
    private async Task DeclareAndSendAsync(string virtualHost, string type)
    {
        var factory = new ConnectionFactory
        {
            HostName = "127.0.0.1",
            Port = servers.RabbitMq.Port,
            VirtualHost = virtualHost,
        };
        await using var connection = await factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true)
        );
        await channel.QueueDeclareAsync(
            type,
            durable: true,
            exclusive: false,
            autoDelete: false,
            new Dictionary<string, object?> { ["x-queue-type"] = type }
        );
        await channel.BasicPublishAsync(
            "",
            type,
            mandatory: true,
            new BasicProperties { Persistent = true },
            Encoding.UTF8.GetBytes($"a message of {type}")
        );
    }

    private static async Task<object?> ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
