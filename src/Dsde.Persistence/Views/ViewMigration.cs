using Microsoft.EntityFrameworkCore.Migrations;

namespace Dsde.Persistence.Views;

/// <summary>Creates and drops views in migrations.</summary>
internal static class ViewMigration
{
    public static void Create(MigrationBuilder migration, IEnumerable<(string Name, string Sql)> views)
    {
        foreach (var (name, sql) in views)
        {
            migration.Sql($"CREATE VIEW {name} AS\n{sql};");
        }
    }

    public static void Drop(MigrationBuilder migration, IEnumerable<(string Name, string Sql)> views)
    {
        foreach (var (name, _) in views.Reverse())
        {
            migration.Sql($"DROP VIEW IF EXISTS {name};");
        }
    }
}
