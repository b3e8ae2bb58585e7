using System.Text.RegularExpressions;
using Dsde.Persistence.Describing;
using Dsde.Testing;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Dsde.Persistence.Tests;

/// <summary>The dictionary, its copy in docs/telemetry.md, the comments in the database and what is in the database say the same.</summary>
public sealed partial class TelemetryDocumentTests(PostgresServer server)
{
    /// <summary>Columns that SQLite can't compute.</summary>
    private const string Median = "median_total_ms";

    private const string OwnRelations = """
        FROM pg_class r
        WHERE r.relnamespace = 'public'::regnamespace AND r.relkind IN ('r', 'p', 'v') AND NOT r.relispartition
          AND r.relname <> '__EFMigrationsHistory'
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static IEnumerable<RelationDescription> Tables => TelemetryDictionary.Relations.Where(relation => relation.Kind != "FUNCTION");

    [Fact]
    public void The_document_ends_with_the_dictionary() =>
        File.ReadAllText(Repository.PathOf("docs", "telemetry.md"))
            .ShouldEndWith($"<!-- dictionary -->\n\n{TelemetryDictionary.Read()}", customMessage: "Run eng/initial-migration.sh.");

    [Fact]
    public void Every_row_of_the_dictionary_is_read()
    {
        var lines = TelemetryDictionary.Read().Split('\n');

        Tables.Sum(table => table.Columns.Count).ShouldBe(lines.Count(line => line.StartsWith("| `", StringComparison.Ordinal)));
        TelemetryDictionary.Relations.Count.ShouldBe(lines.Count(line => line.StartsWith("## ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Every_column_of_PostgreSQL_is_described_and_has_its_description_as_its_comment()
    {
        await using var database = await CreateAsync();

        var actual = await ReadAsync(
            database,
            $"""
            SELECT c.relname || '.' || a.attname || ': ' || COALESCE(col_description(c.oid, a.attnum), 'no comment')
            FROM (SELECT r.oid, r.relname {OwnRelations}) c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE a.attnum > 0 AND NOT a.attisdropped
            """
        );

        actual
            .Order()
            .ShouldBe(Tables.SelectMany(table => table.Columns.Select(column => $"{table.Name}.{column.Name}: {column.Comment}")).Order());
    }

    [Fact]
    public async Task Every_table_view_and_function_of_PostgreSQL_has_its_description_as_its_comment()
    {
        await using var database = await CreateAsync();

        var actual = await ReadAsync(
            database,
            $"""
            SELECT CASE r.relkind WHEN 'v' THEN 'VIEW ' ELSE 'TABLE ' END || r.relname || ': '
                || COALESCE(obj_description(r.oid, 'pg_class'), 'no comment') {OwnRelations}
            UNION ALL
            SELECT 'FUNCTION ' || proname || ': ' || COALESCE(obj_description(oid, 'pg_proc'), 'no comment')
            FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            """
        );

        actual
            .Order()
            .ShouldBe(TelemetryDictionary.Relations.Select(relation => $"{relation.Kind} {relation.Name}: {relation.Text}").Order());
    }

    [Fact]
    public async Task A_column_of_a_table_can_be_null_exactly_where_the_dictionary_says_when()
    {
        await using var database = await CreateAsync();

        var nullable = await ReadAsync(
            database,
            $"""
            SELECT c.relname || '.' || a.attname
            FROM (SELECT r.oid, r.relname, r.relkind {OwnRelations}) c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE a.attnum > 0 AND NOT a.attisdropped AND NOT a.attnotnull AND c.relkind <> 'v'
            """
        );

        nullable
            .Order()
            .ShouldBe(
                Tables
                    .Where(table => table.Kind == "TABLE")
                    .SelectMany(table =>
                        table.Columns.Where(column => column.Null is not null).Select(column => $"{table.Name}.{column.Name}")
                    )
                    .Order()
            );
    }

    [Fact]
    public async Task SQLite_has_the_same_tables_views_and_columns_but_for_the_median()
    {
        using var folder = new ScratchFolder("sqlite");
        await using var database = await TestDatabase.CreateAsync(
            new PersistenceOptions { Provider = PersistenceOptions.Sqlite, ConnectionString = $"Data Source={folder.PathOf("dsde.db")}" }
        );

        await using (var connection = new SqliteConnection(database.Options.ConnectionString))
        {
            await connection.OpenAsync(Cancellation);
            foreach (var table in Tables)
            {
                await using var command = new SqliteCommand($"SELECT * FROM {table.Name} LIMIT 0", connection);
                await using var reader = await command.ExecuteReaderAsync(Cancellation);
                Enumerable
                    .Range(0, reader.FieldCount)
                    .Select(reader.GetName)
                    .Order()
                    .ShouldBe(table.Columns.Select(column => column.Name).Where(name => name != Median).Order(), table.Name);
            }
        }

        SqliteConnection.ClearAllPools(); // they keep files open
    }

    [Fact]
    public async Task Every_query_of_the_document_runs()
    {
        await using var database = await CreateAsync();
        var queries = SqlBlock()
            .Matches(await File.ReadAllTextAsync(Repository.PathOf("docs", "telemetry.md"), Cancellation))
            .Select(block => block.Groups[1].Value.Replace("'…'", $"'{Guid.NewGuid()}'", StringComparison.Ordinal))
            .ToList();

        queries.Count.ShouldBeGreaterThan(8);
        await using var connection = new NpgsqlConnection(database.Options.ConnectionString);
        await connection.OpenAsync(Cancellation);
        foreach (var query in queries)
        {
            await using var command = new NpgsqlCommand(query, connection);
            await Should.NotThrowAsync(() => command.ExecuteNonQueryAsync(Cancellation), query);
        }
    }

    private async Task<TestDatabase> CreateAsync() =>
        await TestDatabase.CreateAsync(new PersistenceOptions { ConnectionString = await server.CreateDatabaseAsync() });

    private static async Task<List<string>> ReadAsync(TestDatabase database, string sql)
    {
        await using var connection = new NpgsqlConnection(database.Options.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var rows = new List<string>();
        while (await reader.ReadAsync(Cancellation))
        {
            rows.Add(reader.GetString(0));
        }

        return rows;
    }

    [GeneratedRegex("```sql\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex SqlBlock();
}
