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
            .Postgres.PostgresDialect.TraceColumns.Split([',', ' ', '\n'], StringSplitOptions.RemoveEmptyEntries)
            .ShouldBe(
                context
                    .Model.FindEntityType(typeof(Jobs.JobTrace))
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

    private readonly ScratchFolder _folder = new("sqlite");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        SqliteConnection.ClearAllPools(); // they keep files open
        _folder.Dispose();
    }

    protected override Task<PersistenceOptions> CreateOptionsAsync() =>
        Task.FromResult(
            new PersistenceOptions { Provider = PersistenceOptions.Sqlite, ConnectionString = $"Data Source={_folder.PathOf("dsde.db")}" }
        );
}
