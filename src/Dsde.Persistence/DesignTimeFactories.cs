using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Dsde.Persistence;

/// <summary>For <c>eng/initial-migration.sh</c>; nothing is connected to.</summary>
internal sealed class PostgresDesignTimeFactory : IDesignTimeDbContextFactory<PostgresDbContext>
{
    public PostgresDbContext CreateDbContext(string[] args) =>
        new(
            DatabaseSetup
                .Configure(new DbContextOptionsBuilder<PostgresDbContext>(), PersistenceOptions.PostgreSql, "Host=localhost")
                .Options
        );
}

/// <summary>The same for SQLite.</summary>
internal sealed class SqliteDesignTimeFactory : IDesignTimeDbContextFactory<SqliteDbContext>
{
    public SqliteDbContext CreateDbContext(string[] args) =>
        new(
            DatabaseSetup
                .Configure(new DbContextOptionsBuilder<SqliteDbContext>(), PersistenceOptions.Sqlite, "Data Source=:memory:")
                .Options
        );
}
