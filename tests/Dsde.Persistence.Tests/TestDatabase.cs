using Dsde.Persistence.Migrating;
using Dsde.Persistence.Upkeep;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Dsde.Persistence.Tests;

/// <summary>The persistence as the worker has it, on a fresh database.</summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private TestDatabase(PersistenceOptions options)
    {
        Options = options;
        _services = new ServiceCollection().AddSingleton<TimeProvider>(Time).AddDsdePersistence(options).BuildServiceProvider();
    }

    public PersistenceOptions Options { get; }

    public FakeTimeProvider Time { get; } =
        new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)) { AutoAdvanceAmount = TimeSpan.Zero };

    public Analysis.IReportReader Traces => _services.GetRequiredService<Analysis.IReportReader>();

    public IJobStore Store => _services.GetRequiredService<IJobStore>();

    public Workers.IWorkerRegistry Workers => _services.GetRequiredService<Workers.IWorkerRegistry>();

    public IDatabaseUpkeep Upkeep => _services.GetRequiredService<IDatabaseUpkeep>();

    public IDatabaseMigrator Migrator => _services.GetRequiredService<IDatabaseMigrator>();

    public static async Task<TestDatabase> CreateAsync(PersistenceOptions options)
    {
        var database = new TestDatabase(options);
        await database.Migrator.MigrateAsync(TestContext.Current.CancellationToken);
        return database;
    }

    public static TestDatabase WithoutSchema(PersistenceOptions options) => new(options);

    public DsdeDbContext CreateContext() => _services.GetRequiredService<Storage.IContextFactory>().Create();

    /// <summary>The clock that leases live on.</summary>
    public async Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellationToken)
    {
        await using var context = CreateContext();
        return await _services.GetRequiredService<Storage.IDialect>().ReadClockAsync(context, cancellationToken);
    }

    /// <summary>Lets time pass for the leases, on whatever clock they live.</summary>
    public async Task PassAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        Time.Advance(time);
        if (Options.Provider == PersistenceOptions.PostgreSql)
        {
            await using var context = CreateContext();
            await context.Database.ExecuteSqlAsync($"UPDATE generation_jobs SET lease_until = lease_until - {time}", cancellationToken);
        }
    }

    /// <summary>How the database would go about a query, in its own words, once it has looked what is in its tables.</summary>
    public async Task<string> ExplainAsync(Func<DsdeDbContext, IQueryable> query, CancellationToken cancellationToken)
    {
        var isPostgres = Options.Provider == PersistenceOptions.PostgreSql;
        await using var context = CreateContext();
        await context.Database.OpenConnectionAsync(cancellationToken);
        if (isPostgres)
        {
            await context.Database.ExecuteSqlRawAsync("ANALYZE", cancellationToken);
        }

        await using var command = query(context).CreateDbCommand();
        command.CommandText = $"{(isPostgres ? "EXPLAIN" : "EXPLAIN QUERY PLAN")} {command.CommandText}";
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var plan = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
        {
            plan.Add(reader.GetString(reader.FieldCount - 1));
        }

        return string.Join('\n', plan);
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        if (Options.Provider != PersistenceOptions.Sqlite)
        {
            // Idle connections of all the databases of a run are more than a server bears.
            await using var connection = new NpgsqlConnection(HangingClients.Bound(Options.ConnectionString));
            NpgsqlConnection.ClearPool(connection);
        }
    }
}
