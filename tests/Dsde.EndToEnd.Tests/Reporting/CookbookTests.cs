using System.Text.RegularExpressions;
using Dsde.Testing;
using Npgsql;

namespace Dsde.EndToEnd.Tests.Reporting;

/// <summary>Every command and every query of docs/cookbook.md, as it stands there, on what a real worker stored.</summary>
public sealed partial class CookbookTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    [Fact]
    public async Task Every_recipe_answers_its_question()
    {
        var recipes = await File.ReadAllTextAsync(Repository.PathOf("docs", "cookbook.md"), TestContext.Current.CancellationToken);
        using var folder = new ScratchFolder("cookbook");
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres, settings: [("Dsde__Engine__Policy", "dsde-paper")]);
        var batch = Guid.NewGuid();
        var submitted = await DsdeProgram.RunAsync(
            worker.Environment,
            "submit",
            SampleRun.JobFile,
            "--batch-id",
            $"{batch}",
            "--wait",
            "--out",
            folder.Path
        );
        submitted.ExitCode.ShouldBe(0, submitted.Error + submitted.Output);

        var blocks = Blocks().Matches(recipes);
        blocks.Count.ShouldBeGreaterThanOrEqualTo(12);
        foreach (Match block in blocks)
        {
            var text = block.Groups[2].Value.Replace("$BATCH", $"{batch}", StringComparison.Ordinal);
            if (block.Groups[1].Value == "sql")
            {
                await QueryAsync(worker.ConnectionString, text);
            }
            else
            {
                var ended = await DsdeProgram.RunTypedAsync(worker.Environment, $"cd '{folder.Path}' && {text}");
                ended.ExitCode.ShouldBe(0, text + ended.Error);
                ended.Output.ShouldNotBeEmpty(text);
            }
        }

        File.Exists(folder.PathOf("batch.html")).ShouldBeTrue();
        File.Exists(folder.PathOf("signals.html")).ShouldBeTrue();
    }

    /// <summary>A question that finds nothing is not answered, nor is one in whose rows nothing stands.</summary>
    private static async Task QueryAsync(string connectionString, string query)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(query, connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        (await reader.ReadAsync(TestContext.Current.CancellationToken)).ShouldBeTrue(query);
        Enumerable.Range(0, reader.FieldCount).Count(field => !reader.IsDBNull(field)).ShouldBeGreaterThan(1, query);
    }

    [GeneratedRegex("```(sql|bash)\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
