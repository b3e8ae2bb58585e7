using Dsde.Testing;
using DuckDB.NET.Data;
using Microsoft.Data.Sqlite;

namespace Dsde.EndToEnd.Tests.Reporting;

/// <summary><c>dsde export</c> on the main job, read back by another program's reader.</summary>
public sealed class ExportCommandTests(SampleRun sample) : IDisposable
{
    private readonly ScratchFolder _folder = new("export");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("parquet")]
    [InlineData("csv")]
    public async Task Every_row_is_there_and_adds_up_to_what_the_database_has(string format)
    {
        var database = await DatabaseAsync();
        await ExportAsync(database, "--format", format);

        (await AskAsync(format, "SELECT count(*) FROM jobs WHERE state = 'completed' AND ended_at >= started_at")).ShouldBe(75L);
        (await AskAsync(format, "SELECT count(DISTINCT job_id) FROM outputs")).ShouldBe(75L);
        (await AskAsync(format, "SELECT sum(completion_tokens)::bigint FROM outputs")).ShouldBe(
            await AskDatabaseAsync(database, "SELECT sum(completion_tokens) FROM job_traces")
        );
        (await AskAsync(format, "SELECT sum(speculation_length)::bigint FROM iterations")).ShouldBe(
            await AskDatabaseAsync(database, "SELECT sum(proposed) FROM job_traces")
        );
        (await AskAsync(format, "SELECT count(*) FROM proposals")).ShouldBe(
            await AskDatabaseAsync(database, "SELECT sum(proposed) FROM job_traces")
        );
        (await AskAsync(format, "SELECT count(*) FROM tokens")).ShouldBe(
            await AskDatabaseAsync(database, "SELECT sum(json_array_length(token_margin)) FROM job_traces")
        );
        var shared = "SELECT sum(iteration * 1000 + position * 10 + speculation_length)::bigint FROM";
        (await AskAsync(format, $"{shared} iterations")).ShouldBe(
            await AskDatabaseAsync(database, shared.Replace("::bigint", "", StringComparison.Ordinal) + " iteration_telemetry")
        );
        var places = "SELECT sum(proposal * 100000 + position * 100 + depth * 10 + is_accepted::int)::bigint FROM proposals";
        (await AskAsync(format, places)).ShouldBe(
            await AskDatabaseAsync(
                database,
                "SELECT sum(proposal * 100000 + position * 100 + depth * 10 + is_accepted) FROM token_telemetry"
            )
        );
        var kld = (double)(await AskAsync(format, "SELECT sum(kld)::double FROM proposals"))!;
        kld.ShouldBe((double)(await AskDatabaseAsync(database, "SELECT sum(kld) FROM token_telemetry"))!, 1e-3 * Math.Max(1, kld));
    }

    [Fact]
    public async Task Columns_have_types_and_their_meaning_stands_in_the_file()
    {
        await ExportAsync(await DatabaseAsync());

        (await TypeOfAsync("outputs", "stored_at")).ShouldBe("TIMESTAMP WITH TIME ZONE");
        (await TypeOfAsync("outputs", "total_ms")).ShouldBe("DOUBLE");
        (await TypeOfAsync("outputs", "mean_kld")).ShouldBe("FLOAT");
        (await TypeOfAsync("iterations", "accepted")).ShouldBe("INTEGER");
        (await TypeOfAsync("proposals", "on_path")).ShouldBe("BOOLEAN");
        foreach (var table in (string[])["jobs", "outputs", "iterations", "proposals", "tokens"])
        {
            var undescribed = await AskAsync(
                "parquet",
                $"""
                SELECT string_agg(column_name) FROM (DESCRIBE {table}) WHERE column_name <> 'day' AND column_name NOT IN
                    (SELECT decode(key) FROM parquet_kv_metadata('{_folder.Path}/{table}/*/*.parquet') WHERE length(decode(value)) > 5)
                """
            );
            undescribed.ShouldBeOneOf([null, DBNull.Value], table);
        }
    }

    [Fact]
    public async Task What_is_exported_in_several_goes_is_there_once()
    {
        var database = await DatabaseAsync();
        var middle = await AskDatabaseAsync(
            database,
            "SELECT max(stored_at) FROM (SELECT stored_at FROM job_traces ORDER BY stored_at LIMIT 40)"
        );
        await ExportAsync(database, "--to", $"{middle}");
        var before = (long)(await AskAsync("parquet", "SELECT count(*) FROM outputs"))!;
        before.ShouldBeInRange(1, 74);

        await ExportAsync(database);
        await ExportAsync(database);

        (await AskAsync("parquet", "SELECT count(*) FROM outputs")).ShouldBe(75L);
        (await AskAsync("parquet", "SELECT count(DISTINCT job_id) FROM outputs")).ShouldBe(75L);
        (await AskAsync("parquet", "SELECT count(*) FROM jobs")).ShouldBe(75L);
        Directory.GetFiles(_folder.Path, "*.unfinished", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_export_needs_another_folder()
    {
        await ExportAsync(await DatabaseAsync());

        var ended = await RunAsync(await DatabaseAsync(), "--format", "csv");

        ended.ExitCode.ShouldBe(2);
        ended.Error.ShouldContain("as parquet, not of");
        ended.Error.ShouldContain("Give another folder");
    }

    private async Task<string> DatabaseAsync()
    {
        (await sample.Ended).ExitCode.ShouldBe(0);
        return Path.Combine(sample.Folder, "dsde.db");
    }

    private async Task ExportAsync(string database, params string[] arguments)
    {
        var ended = await RunAsync(database, arguments);
        ended.ExitCode.ShouldBe(0, ended.Error);
    }

    private Task<DsdeProgram.Ended> RunAsync(string database, params string[] arguments) =>
        DsdeProgram.RunAsync(["export", "--database", database, "--out", _folder.Path, "--settle", "0", .. arguments]);

    private async Task<string> TypeOfAsync(string table, string column) =>
        (string)(await AskAsync("parquet", $"SELECT column_type FROM (DESCRIBE {table}) WHERE column_name = '{column}'"))!;

    private async Task<object?> AskAsync(string format, string query)
    {
        await using var connection = new DuckDBConnection("Data Source=:memory:");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        foreach (var table in (string[])["jobs", "outputs", "iterations", "proposals", "tokens"])
        {
            var read = format == "csv" ? "read_csv" : "read_parquet";
            await using var view = connection.CreateCommand();
            view.CommandText =
                $"CREATE VIEW {table} AS SELECT * FROM {read}('{_folder.Path}/{table}/*/*.{format}', hive_partitioning = true)";
            await view.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        await using var command = connection.CreateCommand();
        command.CommandText = query;
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }

    private static async Task<object?> AskDatabaseAsync(string database, string query)
    {
        await using var connection = new SqliteConnection($"Data Source={database};Mode=ReadOnly;Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = query;
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
