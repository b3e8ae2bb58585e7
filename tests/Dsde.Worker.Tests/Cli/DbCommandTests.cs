using Dsde.Testing;
using Dsde.Worker.Cli;
using Microsoft.Data.Sqlite;

namespace Dsde.Worker.Tests.Cli;

public sealed class DbCommandTests : IDisposable
{
    private readonly ScratchFolder _folder = new("db");

    private string File => _folder.PathOf("odd;name=x.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_new_database_is_behind_until_it_is_migrated()
    {
        var before = await RunAsync("status");
        var migrated = await RunAsync("migrate");
        var again = await RunAsync("migrate");
        var after = await RunAsync("status");

        before.ExitCode.ShouldBe(ExitCodes.JobsFailed);
        before.Output.ShouldContain("Run: dsde db migrate");
        migrated.ExitCode.ShouldBe(ExitCodes.Success);
        migrated.Output.ShouldContain("applied ");
        again.Output.ShouldNotContain("applied ");
        after.ExitCode.ShouldBe(ExitCodes.Success);
        after.Output.ShouldContain("up to date");
    }

    [Fact]
    public async Task A_schema_that_a_newer_program_made_is_refused_and_both_versions_are_named()
    {
        await RunAsync("migrate");
        await using (var connection = new SqliteConnection(ConnectionStrings.ForFile(File)))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = new SqliteCommand(
                "INSERT INTO \"__EFMigrationsHistory\" VALUES ('29990101000000_Later', '99.0')",
                connection
            );
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var status = await RunAsync("status");
        var migrated = await RunAsync("migrate");

        status.ExitCode.ShouldBe(ExitCodes.JobsFailed);
        status.Output.ShouldContain("ahead of this program: it is at 29990101000000_Later, the program at ");
        migrated.ExitCode.ShouldBe(ExitCodes.SetupError);
        migrated.Error.ShouldContain("ahead of this program");
    }

    [Fact]
    public async Task A_database_with_tables_of_the_same_names_is_refused_in_one_line()
    {
        await using (var connection = new SqliteConnection(ConnectionStrings.ForFile(File)))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = new SqliteCommand("CREATE TABLE generation_jobs (name text)", connection);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var status = await RunAsync("status");
        var migrated = await RunAsync("migrate");

        status.ExitCode.ShouldBe(ExitCodes.JobsFailed);
        status.Output.TrimEnd().ShouldContain("generation_jobs, which this program would make, but no migration history");
        migrated.ExitCode.ShouldBe(ExitCodes.SetupError);
        migrated.Error.TrimEnd().Split('\n').ShouldHaveSingleItem().ShouldContain("Give dsde a database of its own");
    }

    [Fact]
    public async Task Pruning_removes_nothing_unless_it_is_told_to_and_then_only_what_is_named()
    {
        await RunAsync("migrate");
        await ExecuteAsync(
            """
            INSERT INTO generation_jobs (job_id, state, attempt, created_at, ended_at, text, request)
            VALUES ('0', 'completed', 1, '2001-01-01 00:00:00.000000', '2001-01-01 00:00:01.000000', 'old', '{}'),
                   ('1', 'completed', 1, '2001-01-01 00:00:00.000000', '9001-01-01 00:00:01.000000', 'new', '{}')
            """.Replace("'0'", $"'{Guid.NewGuid().ToString().ToUpperInvariant()}'", StringComparison.Ordinal).Replace(
                "'1'",
                $"'{Guid.NewGuid().ToString().ToUpperInvariant()}'",
                StringComparison.Ordinal
            )
        );

        var counted = await RunAsync("prune", "--older-than", "90d");
        var unchanged = await ExecuteAsync("SELECT count(*) FROM generation_jobs WHERE text IS NOT NULL");
        var texts = await RunAsync("prune", "--older-than", "12w", "--texts", "--apply");
        var jobs = await RunAsync("prune", "--older-than", "36h", "--jobs", "--apply");

        counted.ExitCode.ShouldBe(ExitCodes.Success);
        counted.Output.ShouldContain("would remove 0 traces");
        counted.Output.ShouldContain("would remove 1 jobs with texts");
        counted.Output.ShouldContain("would remove 1 jobs\n");
        counted.Output.ShouldContain("nothing was removed");
        unchanged.ShouldBe(2L);
        texts.Output.ShouldContain("removed 1 jobs with texts");
        texts.Output.ShouldNotContain("traces");
        jobs.Output.ShouldContain("removed 1 jobs");
        (await ExecuteAsync("SELECT text FROM generation_jobs")).ShouldBe("new");
    }

    [Theory]
    [InlineData("give a whole number of days", "--older-than", "90")]
    [InlineData("give a whole number of days", "--older-than", "0d")]
    [InlineData("give a whole number of days", "--older-than", "-3d")]
    [InlineData("give a whole number of days", "--older-than", "99999999d")]
    [InlineData("name what: --traces, --texts, --jobs", "--older-than", "90d", "--apply")]
    [InlineData("--older-than", "--texts")]
    public async Task A_pruning_that_does_not_say_what_it_is_to_remove_is_refused(string reason, params string[] arguments)
    {
        var ended = await RunAsync("prune", arguments);

        ended.ExitCode.ShouldBe(ExitCodes.SetupError);
        ended.Error.ShouldContain(reason);
    }

    [Theory]
    [InlineData("postgresql", "nonsense")]
    [InlineData("postgresql", "Hots=db;Password=secret")]
    [InlineData("postgresql", "Host=db;Port=many;Password=secret")]
    [InlineData("sqlite", "Host=db;Password=secret")]
    public async Task A_connection_string_that_is_none_is_refused_without_its_password(string provider, string connection)
    {
        var ended = await CommandLine.RunAsync("db", "migrate", "--provider", provider, "--connection", connection);

        ended.ExitCode.ShouldBe(ExitCodes.SetupError);
        ended.Error.ShouldContain($"is none for {provider}");
        ended.Error.ShouldNotContain("secret");
    }

    private Task<CommandLine.Ended> RunAsync(string verb, params string[] arguments) =>
        CommandLine.RunAsync(["db", verb, .. arguments, "--provider", "sqlite", "--connection", ConnectionStrings.ForFile(File)]);

    private async Task<object?> ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection(ConnectionStrings.ForFile(File));
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new SqliteCommand(sql, connection);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
