using Dsde.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Tests;

public sealed class PostgresJobStoreTests(PostgresServer server) : JobStoreContract
{
    protected override async Task<PersistenceOptions> CreateOptionsAsync() =>
        new() { Provider = PersistenceOptions.PostgreSql, ConnectionString = await server.CreateDatabaseAsync() };

    [Fact]
    public void Every_column_of_traces_is_copied()
    {
        using var context = new PostgresDesignTimeFactory().CreateDbContext([]);

        Storage
            .TraceCopy.Columns.Split([',', ' ', '\n'], StringSplitOptions.RemoveEmptyEntries)
            .ShouldBe(
                context
                    .Model.FindEntityType(typeof(Entities.JobTraceRow))
                    .ShouldNotBeNull()
                    .GetProperties()
                    .Select(property => property.GetColumnName()),
                ignoreOrder: true
            );
    }
}

public sealed class SqliteJobStoreTests : JobStoreContract
{
    protected override (int Workers, int Jobs) Crowd => (2, 60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dsde-sqlite-");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        SqliteConnection.ClearAllPools(); // they keep files open
        _folder.Delete(recursive: true);
    }

    protected override Task<PersistenceOptions> CreateOptionsAsync() =>
        Task.FromResult(
            new PersistenceOptions
            {
                Provider = PersistenceOptions.Sqlite,
                ConnectionString = $"Data Source={Path.Combine(_folder.FullName, "dsde.db")}",
            }
        );
}

public sealed class MigrationTests(PostgresServer server)
{
    [Fact]
    public async Task What_is_pending_is_applied_once()
    {
        await using var database = TestDatabase.WithoutSchema(
            new PersistenceOptions { ConnectionString = await server.CreateDatabaseAsync() }
        );
        var cancellation = TestContext.Current.CancellationToken;

        var pending = await database.Migrator.FindPendingAsync(cancellation);
        var applied = await database.Migrator.MigrateAsync(cancellation);
        var again = await database.Migrator.MigrateAsync(cancellation);

        pending.ShouldHaveSingleItem().ShouldEndWith("_Initial");
        applied.ShouldBe(pending);
        again.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_named_without_its_password()
    {
        await using var database = TestDatabase.WithoutSchema(
            new PersistenceOptions { ConnectionString = "Host=127.0.0.1;Port=1;Database=nowhere;Username=dsde;Password=secret" }
        );

        var failure = await Should.ThrowAsync<DatabaseUnavailableException>(() =>
            database.Migrator.FindPendingAsync(TestContext.Current.CancellationToken)
        );

        failure.Message.ShouldContain("nowhere on 127.0.0.1:1");
        failure.Message.ShouldNotContain("secret");
    }
}
