using Dsde.Testing;
using Npgsql;

namespace Dsde.EndToEnd.Tests.Documents;

/// <summary>The backup that docs/operations.md describes is one: what was restored has everything, and the program works on it.</summary>
public sealed class BackupTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private static readonly string[] Tables = ["generation_jobs", "generation_batches", "job_traces", "job_choices", "workers"];

    [Fact]
    public async Task What_was_dumped_and_restored_by_the_commands_of_the_guide_has_all_rows_and_gives_the_same_results()
    {
        var commands = new Document("docs/operations.md").Blocks.Single(block => block.Mark == $"run by {nameof(BackupTests)}").Commands;
        using var folder = new ScratchFolder("backup");
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres);
        var batch = $"{Guid.NewGuid()}";
        var submitted = await DsdeProgram.RunAsync(
            worker.Environment,
            ["submit", SampleRun.JobFile, "--limit", "6", "--batch-id", batch, "--wait", "--out", folder.PathOf("before")]
        );
        submitted.ExitCode.ShouldBe(0, submitted.Error);
        (await worker.StopAsync(TimeSpan.FromSeconds(60))).ExitCode.ShouldBe(0);
        var restored = postgres.ConnectionString("dsde_restored");

        var ended = await DsdeProgram.RunTypedAsync(
            [("DATABASE_URL", UrlOf(worker.ConnectionString)), ("RESTORED_URL", UrlOf(restored))],
            $"set -e; cd '{folder.Path}'; {commands}"
        );

        ended.ExitCode.ShouldBe(0, ended.Error);
        foreach (var table in Tables)
        {
            var count = $"SELECT count(*) FROM {table}";
            (await Rows.CountAsync(restored, count)).ShouldBe(await Rows.CountAsync(worker.ConnectionString, count), table);
        }

        (string, string)[] after = [.. worker.Environment, ("Dsde__Persistence__ConnectionString", restored)];
        (await DsdeProgram.RunAsync(after, "db", "status")).ExitCode.ShouldBe(0);
        var results = await DsdeProgram.RunAsync(after, "results", batch, SampleRun.JobFile, "--out", folder.PathOf("after"));
        File.ReadAllText(folder.PathOf("after", "results.jsonl"))
            .ShouldBe(File.ReadAllText(folder.PathOf("before", "results.jsonl")), results.Error);
    }

    private static string UrlOf(string connectionString)
    {
        var parts = new NpgsqlConnectionStringBuilder(connectionString);
        return $"postgresql://{parts.Username}:{parts.Password}@{parts.Host}:{parts.Port}/{parts.Database}";
    }
}
