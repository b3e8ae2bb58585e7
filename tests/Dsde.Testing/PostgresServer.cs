using Npgsql;
using Xunit;

namespace Dsde.Testing;

/// <summary>
/// A PostgreSQL for a test assembly; each test takes a database of its own. Others use the server meanwhile: who wants to stop it takes a
/// <see cref="BreakablePostgres"/>.
/// </summary>
public class PostgresServer : IAsyncLifetime
{
    private PrivateServer? _server;

    /// <summary>Its port on 127.0.0.1.</summary>
    public int Port => Server.Port;

    /// <summary>The server itself.</summary>
    protected PrivateServer Server => _server ?? throw new InvalidOperationException("The server has not been started.");

    /// <summary>More variables for the script that runs it.</summary>
    protected virtual (string Name, string Value)[] Settings => [];

    public async ValueTask InitializeAsync() => _server = await PrivateServer.StartAsync("postgresql", Settings);

    /// <summary>Connection string of a new empty database.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"test_{Guid.NewGuid():N}";
        await using var connection = new NpgsqlConnection($"{ConnectionString("dsde")};Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await command.ExecuteNonQueryAsync();
        return ConnectionString(name);
    }

    /// <summary>Ends all connections to a database but the one that does it, as a fail-over would.</summary>
    /// <returns>How many there were.</returns>
    public async Task<int> CutConnectionsAsync(string connectionString)
    {
        var database = new NpgsqlConnectionStringBuilder(connectionString).Database;
        await using var connection = new NpgsqlConnection($"{ConnectionString("dsde")};Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1",
            connection
        )
        {
            Parameters = { new() { Value = database } },
        };
        return (int)((long?)await command.ExecuteScalarAsync() ?? 0);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    /// <summary>Connection string of a database, there or not.</summary>
    public string ConnectionString(string database) =>
        $"Host=127.0.0.1;Port={Server.Port};Database={database};Username=dsde;Password=dsde;Timeout=5";
}
