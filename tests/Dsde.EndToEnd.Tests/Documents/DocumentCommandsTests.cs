using Dsde.Testing;
using Microsoft.Data.Sqlite;

namespace Dsde.EndToEnd.Tests.Documents;

/// <summary>Blocks of commands that documents mark as run by this class, as they stand there, one after the other in a folder of their
/// own.</summary>
public sealed class DocumentCommandsTests : IDisposable
{
    private readonly ScratchFolder _folder = new("document");

    public static TheoryData<string> Paths =>
        [.. Document.All.Where(document => BlocksOf(document).Any()).Select(document => document.Path)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task The_commands_of_a_document_do_what_it_says(string path)
    {
        Directory.CreateSymbolicLink(_folder.PathOf("samples"), Repository.PathOf("samples"));
        var blocks = BlocksOf(new Document(path)).ToList();
        foreach (var results in new[] { "results-before", "results-after", "results" }.Where(folder => blocks.Exists(Names(folder))))
        {
            // What a reader has by the time: results of earlier runs.
            await RunAsync($"dsde run samples/mixed.jsonl --limit 15 --out {results}/ --policy static:4 --no-speedup", []);
        }

        foreach (var block in blocks)
        {
            await RunAsync(block.Replace("./dsde ", "dsde ", StringComparison.Ordinal), await ReadBatchesAsync());
        }
    }

    private static IEnumerable<string> BlocksOf(Document document) =>
        document.Blocks.Where(block => block.Mark == $"run by {nameof(DocumentCommandsTests)}").Select(block => block.Commands);

    private async Task RunAsync(string commands, IEnumerable<(string, string)> variables)
    {
        var ended = await DsdeProgram.RunTypedAsync(
            [("DSDE_HOME", Repository.Root), ("Dsde__Engine__ProfileSeconds", "0.01"), .. variables],
            $"set -e; cd '{_folder.Path}'; {commands}"
        );

        ended.ExitCode.ShouldBe(0, commands + ended.Error);
        ended.Output.ShouldNotBeEmpty(commands);
    }

    /// <summary>The first and the last batch of the results, for commands that ask for one.</summary>
    private async Task<IReadOnlyList<(string, string)>> ReadBatchesAsync()
    {
        var database = _folder.PathOf("results", "dsde.db");
        if (!File.Exists(database))
        {
            return [];
        }

        await using var connection = new SqliteConnection($"Data Source={database};Pooling=False;Mode=ReadOnly");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new SqliteCommand("SELECT batch_id FROM generation_batches ORDER BY submitted_at", connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var batches = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            batches.Add(reader.GetString(0));
        }

        return [("BEFORE", batches[0]), ("AFTER", batches[^1])];
    }

    private static Predicate<string> Names(string folder) => block => block.Contains($"{folder}/", StringComparison.Ordinal);
}
