using System.Text.Json;
using Dsde.Testing;
using Microsoft.Data.Sqlite;

namespace Dsde.EndToEnd.Tests.Reporting;

/// <summary><c>dsde report</c> on the main job: its numbers against the raw arrays, its page in a real browser.</summary>
public sealed class ReportCommandTests(SampleRun sample) : IDisposable
{
    private const string Lengths = "job_traces, json_each(iteration_length)";

    /// <summary>Accepted tokens but for those cut off at the end: the first token is the prompt's, an iteration gives one more.</summary>
    private const string Kept = """
        WITH steps AS (
            SELECT completion_tokens - 1 AS kept, value AS accepted,
                coalesce(sum(value + 1) OVER (PARTITION BY job_id, choice ORDER BY key
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
            FROM job_traces, json_each(iteration_accepted))
        SELECT sum(max(0, min(accepted, kept - before))) FROM steps
        """;

    private readonly ScratchFolder _folder = new("report");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Numbers_are_those_that_the_raw_arrays_add_up_to()
    {
        var database = await DatabaseAsync();
        var report = await ReadAsync(database);

        report.GetProperty("jobs").GetProperty("completed").GetInt64().ShouldBe(75);
        var total = report.GetProperty("total");
        total.GetProperty("outputs").GetInt32().ShouldBe(75);
        total.GetProperty("proposed").GetInt64().ShouldBe(await SumAsync(database, $"SELECT sum(value) FROM {Lengths}"));
        total.GetProperty("accepted").GetInt64().ShouldBe(await SumAsync(database, Kept));
        total
            .GetProperty("completionTokens")
            .GetInt64()
            .ShouldBe(await SumAsync(database, "SELECT sum(completion_tokens) FROM generation_jobs"));
        var groups = report.GetProperty("groups").EnumerateArray().ToList();
        groups.Sum(group => group.GetProperty("completionTokens").GetInt64()).ShouldBe(total.GetProperty("completionTokens").GetInt64());
        groups.Sum(group => group.GetProperty("accepted").GetInt64()).ShouldBe(total.GetProperty("accepted").GetInt64());
        report
            .GetProperty("lengths")
            .EnumerateArray()
            .Sum(length => length.GetProperty("iterations").GetInt64())
            .ShouldBe(await SumAsync(database, $"SELECT count(value) FROM {Lengths}"));
        report
            .GetProperty("throughput")
            .EnumerateArray()
            .Sum(cell => cell.GetProperty("tokens").GetInt64())
            .ShouldBe(total.GetProperty("completionTokens").GetInt64());
        var page = report.GetProperty("pages").EnumerateArray().First();
        page.GetProperty("tokens").GetArrayLength().ShouldBe(page.GetProperty("output").GetProperty("completionTokens").GetInt32());
    }

    [Fact]
    public async Task Times_are_those_of_the_view_of_latencies()
    {
        var database = await DatabaseAsync();
        var parts = (await ReadAsync(database))
            .GetProperty("latency")
            .EnumerateArray()
            .ToDictionary(part => part.GetProperty("name").GetString() ?? "", part => part.GetProperty("meanMs").GetDouble());

        foreach (
            var (part, column) in new Dictionary<string, string>
            {
                ["queue"] = "queue_ms",
                ["around the engine"] = "outside_ms",
                ["verify"] = "verify_ms",
                ["from sending to the stored end"] = "end_to_end_ms",
            }
        )
        {
            var mean = await AskAsync(database, $"SELECT avg({column}) FROM output_latency");
            parts[part].ShouldBe((double)mean, 1, part); // ms; SQLite reads times to the millisecond
        }
    }

    [Fact]
    public async Task A_filter_leaves_only_what_it_names()
    {
        var report = await ReadAsync(await DatabaseAsync(), "--workload", "records");

        report.GetProperty("jobs").GetProperty("completed").GetInt64().ShouldBe(15);
        report.GetProperty("groups").EnumerateArray().ShouldAllBe(group => group.GetProperty("workload").GetString() == "records");
        (await ReadAsync(await DatabaseAsync(), "--workload", "none such")).GetProperty("outputs").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task The_page_shows_its_charts_follows_its_links_and_prints_in_a_browser()
    {
        var file = await WriteAsync(await DatabaseAsync());
        await using var browser = await Browser.OpenAsync(file);

        browser.Mistakes.ShouldBeEmpty();
        browser.Requests.ShouldBe([new Uri(file).AbsoluteUri]); // nothing is fetched from anywhere
        (await browser.CountAsync("figure svg")).ShouldBeGreaterThanOrEqualTo(8);
        (await browser.CountAsync(".tile")).ShouldBe(6);
        foreach (var scheme in (string[])["light", "dark"])
        {
            var colours = await browser.CountColoursAsync(scheme);
            colours.ShouldBeGreaterThan(100, scheme); // letters and lines, not an empty page
        }

        (await browser.CountShownAsync(".output")).ShouldBe(0);
        await browser.ClickAsync("td a");
        (await browser.CountShownAsync(".output")).ShouldBe(1);
        (await browser.CountAsync(".output:target .tokens .t")).ShouldBeGreaterThan(5);
        (await browser.PrintAsync()).ShouldBeGreaterThan(10_000);
        browser.Mistakes.ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_link_leads_to_an_output_of_the_page()
    {
        await using var browser = await Browser.OpenAsync(await WriteAsync(await DatabaseAsync()));

        (await browser.CountAsync("td a")).ShouldBe(20);
        (await browser.FindDeadLinksAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_empty_database_gives_a_page_that_says_so()
    {
        var empty = _folder.PathOf("empty.db");
        await DsdeProgram.RunAsync("db", "migrate", "--provider", "sqlite", "--connection", $"Data Source={empty}");

        var page = await File.ReadAllTextAsync(await WriteAsync(empty), TestContext.Current.CancellationToken);

        page.ShouldContain("No job is like that");
        page.ShouldNotContain("<svg");
    }

    [Fact]
    public async Task A_file_that_cant_be_written_and_a_database_that_isnt_there_are_named()
    {
        var ended = await DsdeProgram.RunAsync(
            "report",
            "--database",
            await DatabaseAsync(),
            "--out",
            _folder.PathOf("no/such/report.html")
        );
        ended.ExitCode.ShouldBe(2);
        ended.Error.ShouldContain("no/such/report.html can't be written");
        ended.Error.ShouldContain("--out");

        ended = await DsdeProgram.RunAsync("report", "--database", _folder.PathOf("none.db"));
        ended.ExitCode.ShouldBe(2);
        ended.Error.ShouldContain("none.db");
    }

    private async Task<string> DatabaseAsync()
    {
        (await sample.Ended).ExitCode.ShouldBe(0);
        return Path.Combine(sample.Folder, "dsde.db");
    }

    private async Task<string> WriteAsync(string database)
    {
        var file = _folder.PathOf("report.html");
        var ended = await DsdeProgram.RunAsync("report", "--database", database, "--out", file);
        ended.ExitCode.ShouldBe(0, ended.Error);
        return file;
    }

    private static async Task<JsonElement> ReadAsync(string database, params string[] arguments)
    {
        var ended = await DsdeProgram.RunAsync(["report", "--database", database, "--format", "json", .. arguments]);
        ended.ExitCode.ShouldBe(0, ended.Error);
        return JsonDocument.Parse(ended.Output).RootElement;
    }

    private static async Task<long> SumAsync(string database, string query) => (long)await AskAsync(database, query);

    private static async Task<object> AskAsync(string database, string query)
    {
        await using var connection = new SqliteConnection($"Data Source={database};Mode=ReadOnly;Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = query;
        return (await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}
