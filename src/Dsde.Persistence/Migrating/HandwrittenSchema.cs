using Dsde.Persistence.Describing;
using Dsde.Persistence.Storage.Postgres;
using Dsde.Persistence.Views;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Dsde.Persistence.Migrating;

/// <summary>What EF Core knows nothing of, in migrations: views and functions, partitions, comments.</summary>
internal static class HandwrittenSchema
{
    /// <summary>Behind the tables: partitions, views, comments.</summary>
    public static void CreatePostgreSql(MigrationBuilder migration)
    {
        TracePartitions.Create(migration);
        Create(migration, PostgreSqlViews.All);
        Comments.Create(migration);
    }

    /// <summary>Before the tables.</summary>
    public static void DropPostgreSql(MigrationBuilder migration)
    {
        Drop(migration, PostgreSqlViews.All);
        TracePartitions.Drop(migration);
    }

    /// <summary>Behind the tables: views.</summary>
    public static void CreateSqlite(MigrationBuilder migration) => Create(migration, SqliteViews.All);

    /// <summary>Before the tables.</summary>
    public static void DropSqlite(MigrationBuilder migration) => Drop(migration, SqliteViews.All);

    private static void Create(MigrationBuilder migration, IEnumerable<View> views)
    {
        foreach (var view in views)
        {
            if (view.Function is { } function)
            {
                migration.Sql($"CREATE FUNCTION {function.Name} ({function.Arguments})\n{function.Body};");
            }

            migration.Sql($"CREATE VIEW {view.Name} AS\n{view.Sql};");
        }
    }

    private static void Drop(MigrationBuilder migration, IEnumerable<View> views)
    {
        foreach (var view in views.Reverse())
        {
            migration.Sql($"DROP VIEW IF EXISTS {view.Name};");
            if (view.Function is { } function)
            {
                migration.Sql($"DROP FUNCTION IF EXISTS {function.Name};");
            }
        }
    }
}
