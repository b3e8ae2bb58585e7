using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Dsde.Persistence;

/// <summary>
/// For <c>dotnet ef migrations add NAME --context PostgresDbContext --output-dir Migrations/PostgreSql</c>, in this project's folder;
/// nothing is connected to. docs/architecture.md says how.
/// </summary>
internal sealed class PostgresDesignTimeFactory : IDesignTimeDbContextFactory<PostgresDbContext>
{
    public PostgresDbContext CreateDbContext(string[] args) =>
        new(
            DatabaseSetup
                .Configure(new DbContextOptionsBuilder<PostgresDbContext>(), PersistenceOptions.PostgreSql, "Host=localhost")
                .Options
        );
}

/// <summary>For <c>dotnet ef migrations add NAME --context SqliteDbContext --output-dir Migrations/Sqlite</c>.</summary>
internal sealed class SqliteDesignTimeFactory : IDesignTimeDbContextFactory<SqliteDbContext>
{
    public SqliteDbContext CreateDbContext(string[] args) =>
        new(
            DatabaseSetup
                .Configure(new DbContextOptionsBuilder<SqliteDbContext>(), PersistenceOptions.Sqlite, "Data Source=:memory:")
                .Options
        );
}
