using System.Text.RegularExpressions;
using Dsde.Testing;
using Npgsql;

namespace Dsde.Persistence.Tests;

/// <summary>docs/telemetry.md names every column that there is, and no other.</summary>
public sealed partial class TelemetryDocumentTests(PostgresServer server)
{
    [Fact]
    public async Task Every_column_of_the_database_is_described()
    {
        await using var database = await TestDatabase.CreateAsync(
            new PersistenceOptions { ConnectionString = await server.CreateDatabaseAsync() }
        );

        var actual = await ReadColumnsAsync(database.Options.ConnectionString);
        var described = ReadDocument();

        described.Order().ShouldBe(actual.Order());
    }

    private static async Task<List<string>> ReadColumnsAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(
            """
            SELECT table_name || '.' || column_name FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name <> '__EFMigrationsHistory'
            """,
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var columns = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            columns.Add(reader.GetString(0));
        }

        return columns;
    }

    private static List<string> ReadDocument()
    {
        var columns = new List<string>();
        var table = "";
        foreach (var line in File.ReadLines(Repository.PathOf("docs", "telemetry.md")))
        {
            table = Heading().Match(line) is { Success: true } heading ? heading.Groups[1].Value : table;
            if (Row().Match(line) is { Success: true } row)
            {
                columns.Add($"{table}.{row.Groups[1].Value}");
            }
        }

        return columns;
    }

    [GeneratedRegex("^## (?:Table|View) `(\\w+)`")]
    private static partial Regex Heading();

    [GeneratedRegex("^\\| `(\\w+)` \\|")]
    private static partial Regex Row();
}
