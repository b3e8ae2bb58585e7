using Microsoft.EntityFrameworkCore.Migrations;

namespace Dsde.Persistence.Describing;

/// <summary>Puts the dictionary into PostgreSQL's catalogue, where every client shows it. SQLite has no place for it.</summary>
internal static class Comments
{
    public static void Create(MigrationBuilder migration)
    {
        foreach (var relation in TelemetryDictionary.Relations)
        {
            migration.Sql($"COMMENT ON {relation.Kind} {relation.Name} IS {Quote(relation.Text)};");
            foreach (var column in relation.Columns)
            {
                migration.Sql($"COMMENT ON COLUMN {relation.Name}.{column.Name} IS {Quote(column.Comment)};");
            }
        }
    }

    private static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
