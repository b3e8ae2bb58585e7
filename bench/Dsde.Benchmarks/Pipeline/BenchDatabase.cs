using Dsde.Persistence;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline;
using Npgsql;

namespace Dsde.Benchmarks.Pipeline;

/// <summary>A database for one measurement, beside the configured one and gone afterwards.</summary>
internal sealed class BenchDatabase : IAsyncDisposable
{
    private readonly string _server;
    private readonly string _name;

    private BenchDatabase(string server, string name)
    {
        _server = server;
        _name = name;
        Options = new PersistenceOptions { ConnectionString = new NpgsqlConnectionStringBuilder(server) { Database = name }.ToString() };
    }

    /// <summary>Leads to it.</summary>
    public PersistenceOptions Options { get; }

    /// <exception cref="ExpectedFailureException">The configured database is no PostgreSQL, or its user may not create
    /// databases.</exception>
    /// <exception cref="DatabaseUnavailableException">The server can't be reached.</exception>
    public static async Task<BenchDatabase> CreateAsync(PersistenceOptions configured, CancellationToken cancellationToken)
    {
        if (configured.Provider != PersistenceOptions.PostgreSql)
        {
            throw new ExpectedFailureException(
                $"The pipeline is measured with PostgreSQL, but {PersistenceOptions.SectionName}:{nameof(configured.Provider)} is "
                    + $"{configured.Provider}."
            );
        }

        var database = new BenchDatabase(configured.ConnectionString, $"dsde_bench_{Guid.NewGuid():N}");
        await using var services = new ServiceCollection()
            .AddSingleton(TimeProvider.System)
            .AddDsdePersistence(database.Options)
            .BuildServiceProvider();
        try
        {
            await services.GetRequiredService<IDatabaseMigrator>().MigrateAsync(cancellationToken);
            return database;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new ExpectedFailureException(
                $"The database user may not create the database {database._name}: {exception.MessageText}. Grant it CREATEDB, or "
                    + $"name another user.",
                exception
            );
        }
    }

    /// <summary>A connection to it.</summary>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(Options.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await using var connection = new NpgsqlConnection(_server);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"DROP DATABASE IF EXISTS {_name} WITH (FORCE)", connection);
        await command.ExecuteNonQueryAsync();
    }
}
