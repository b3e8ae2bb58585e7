using System.Data;
using Dsde.Persistence.Views;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Dsde.Persistence.Migrating;

/// <summary>Tables and views that are in a schema, each with its columns, and what the program would have there.</summary>
internal sealed class SchemaContents
{
    private const string HistoryColumn = "migration_id";

    private const string PostgresColumns = """
        SELECT relation.relname, attribute.attname
        FROM pg_class relation LEFT JOIN pg_attribute attribute
            ON attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
        WHERE relation.relnamespace = current_schema()::regnamespace AND relation.relkind IN ('r', 'p', 'v', 'm', 'f')
        """;

    // Asked for the columns of a view that refers to nothing, SQLite fails.
    private const string SqliteColumns = """
        SELECT relation.name, info.name
        FROM sqlite_master relation LEFT JOIN pragma_table_info(CASE relation.type WHEN 'table' THEN relation.name END) info
        WHERE relation.type IN ('table', 'view')
        """;

    private readonly ILookup<string, string> _found;
    private readonly ILookup<string, string?> _own;

    private SchemaContents(ILookup<string, string> found, ILookup<string, string?> own) => (_found, _own) = (found, own);

    /// <summary>Whether anybody's migrations are noted there.</summary>
    public bool HasHistory => _found.Contains(HistoryRepository.DefaultTableName);

    /// <summary>Whether they are noted as this program notes them.</summary>
    public bool HasReadableHistory => _found[HistoryRepository.DefaultTableName].Contains(HistoryColumn);

    /// <summary>Names of the program's tables and views that are there, whoever made them.</summary>
    public IReadOnlyList<string> Present => [.. _own.Select(relation => relation.Key).Where(_found.Contains).Order(StringComparer.Ordinal)];

    /// <summary>What the program needs and is not there: tables, views, and columns as <c>table.column</c>.</summary>
    public IReadOnlyList<string> Missing =>
        [
            .. _own.SelectMany(relation =>
                    _found.Contains(relation.Key)
                        ? relation.Except(_found[relation.Key]).OfType<string>().Select(column => $"{relation.Key}.{column}")
                        : [relation.Key]
                )
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>Reads what is there; the database must exist.</summary>
    public static async Task<SchemaContents> ReadAsync(DsdeDbContext context, CancellationToken cancellationToken)
    {
        var isPostgres = context is PostgresDbContext;
        var connection = context.Database.GetDbConnection();
        await context.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = connection.CreateCommand();
            command.CommandText = isPostgres ? PostgresColumns : SqliteColumns;
            await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleResult, cancellationToken);
            var found = new List<(string Relation, string Column)>();
            while (await reader.ReadAsync(cancellationToken))
            {
                found.Add((reader.GetString(0), await reader.IsDBNullAsync(1, cancellationToken) ? "" : reader.GetString(1)));
            }

            return new SchemaContents(
                found.ToLookup(row => row.Relation, row => row.Column, StringComparer.Ordinal),
                FindOwn(context, isPostgres ? PostgreSqlViews.All : SqliteViews.All)
            );
        }
        finally
        {
            await context.Database.CloseConnectionAsync();
        }
    }

    private static ILookup<string, string?> FindOwn(DsdeDbContext context, IEnumerable<View> views)
    {
        var columns =
            from table in context.Model.GetRelationalModel().Tables
            from column in table.Columns
            select (Relation: table.Name, Column: (string?)column.Name);
        return columns.Concat(views.Select(view => (view.Name, (string?)null))).ToLookup(row => row.Item1, row => row.Item2);
    }
}
