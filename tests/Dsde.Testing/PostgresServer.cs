using Npgsql;
using Xunit;

namespace Dsde.Testing;

/// <summary>
/// A PostgreSQL for a test assembly; each test takes a database of its own. Others use the server meanwhile: who wants to stop it takes a
/// <see cref="BreakablePostgres"/>.
/// </summary>
public class PostgresServer : IAsyncLifetime
{
    private readonly SemaphoreSlim _filling = new(1);
    private PrivateServer? _server;
    private string? _filled;

    /// <summary>Its port on 127.0.0.1.</summary>
    public int Port => Server.Port;

    /// <summary>The server itself.</summary>
    protected PrivateServer Server => _server ?? throw new InvalidOperationException("The server has not been started.");

    /// <summary>More variables for the script that runs it.</summary>
    protected virtual (string Name, string Value)[] Settings => [];

    public async ValueTask InitializeAsync() => _server = await PrivateServer.StartAsync("postgresql", Settings);

    /// <summary>Connection string of a new empty database.</summary>
    public Task<string> CreateDatabaseAsync() => CreateDatabaseAsync("template1");

    /// <summary>Connection string of a new database that is a copy of one which was filled once for this server.</summary>
    /// <param name="fill">Fills the database of a connection string; nobody may be connected to it afterwards.</param>
    public async Task<string> CreateDatabaseAsync(Func<string, Task> fill)
    {
        await _filling.WaitAsync();
        try
        {
            if (_filled is null)
            {
                var original = await CreateDatabaseAsync();
                await fill(original);
                _filled = new NpgsqlConnectionStringBuilder(original).Database;
            }
        }
        finally
        {
            _filling.Release();
        }

        return await CreateDatabaseAsync(_filled!);
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
        _filling.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    /// <summary>Connection string of a database, there or not.</summary>
    public string ConnectionString(string database) =>
        $"Host=127.0.0.1;Port={Server.Port};Database={database};Username=dsde;Password=dsde;Timeout=5";

    private async Task<string> CreateDatabaseAsync(string original)
    {
        var name = $"test_{Guid.NewGuid():N}";
        await using var connection = new NpgsqlConnection($"{ConnectionString("dsde")};Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"CREATE DATABASE {name} TEMPLATE {original}", connection);
        await command.ExecuteNonQueryAsync();
        return ConnectionString(name);
    }
}
