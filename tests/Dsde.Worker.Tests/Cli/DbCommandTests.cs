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

    private Task<CommandLine.Ended> RunAsync(string verb) =>
        CommandLine.RunAsync("db", verb, "--provider", "sqlite", "--connection", ConnectionStrings.ForFile(File));
}
