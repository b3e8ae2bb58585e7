using System.Text.Json;
using Dsde.Batches.Following;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

public sealed class BenchTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Policies_are_compared_in_a_table_for_people_in_Markdown_and_in_a_last_line_of_JSON()
    {
        var markdown = Path.Combine(_folder.Path, "bench.md");

        var ended = await DsdeProgram.RunAsync(
            "bench",
            SampleRun.JobFile,
            "--limit",
            "6",
            "--max-tokens",
            "12",
            "--rounds",
            "2",
            "--batch-size",
            "1,3",
            "--temperature",
            "0",
            "--workloads",
            "mixed",
            "--policies",
            "autoregressive,static:3,dsde-paper",
            "--round-seconds",
            "0",
            "--out",
            _folder.Path,
            "--markdown",
            markdown
        );

        ended.ExitCode.ShouldBe(0, ended.Error);
        var report = JsonDocument.Parse(ended.Output.TrimEnd('\n').Split('\n')[^1]).RootElement;
        var rows = report.GetProperty("rows").EnumerateArray().ToList();
        rows.Select(row => (row.GetProperty("batchSize").GetInt32(), row.GetProperty("policy").GetString()))
            .ShouldBe([
                (1, "autoregressive"),
                (1, "static:3"),
                (1, "dsde-paper"),
                (3, "autoregressive"),
                (3, "static:3"),
                (3, "dsde-paper"),
            ]);
        foreach (var batch in rows.Chunk(3))
        {
            batch[0].GetProperty("speedUp").GetDouble().ShouldBe(1);
            batch[0].GetProperty("blockEfficiency").GetDouble().ShouldBe(1);
            batch[0].TryGetProperty("acceptanceRate", out _).ShouldBeFalse();
            batch[1].GetProperty("speedUpOverBestStatic").GetDouble().ShouldBe(1);
            batch[1].GetProperty("acceptanceRate").GetDouble().ShouldBeInRange(0.2, 1);
            batch[2].GetProperty("blockEfficiency").GetDouble().ShouldBeGreaterThan(1.5);
            batch.ShouldAllBe(row => Math.Abs(Share(row, "draftShare") + Share(row, "verifyShare") + Share(row, "otherShare") - 1) < 1e-9);
            batch.ShouldAllBe(row => row.GetProperty("jobCount").GetInt32() == 6 && row.GetProperty("tokensPerSecond").GetDouble() > 0);
        }

        report.GetProperty("engine").GetProperty("target").GetString().ShouldBe("dsde-demo-target");
        ended.Output.ShouldContain("mixed: 6 jobs, batch 3, temperature 0");
        ended.Output.ShouldContain("Fewer than 3 rounds: which differences are real can't be told.");
        ended.Output.ShouldContain("The machine was ");
        ended.Error.ShouldContain("run 1 of 12: batch 1, temperature 0, mixed, autoregressive");
        (await File.ReadAllTextAsync(markdown, TestContext.Current.CancellationToken)).ShouldContain("| mixed | static:3 |");
        ended.Output.ShouldStartWith(
            await File.ReadAllTextAsync(Path.Combine(_folder.Path, "bench.txt"), TestContext.Current.CancellationToken)
        );
        ended.Output.ShouldEndWith(
            await File.ReadAllTextAsync(Path.Combine(_folder.Path, "bench.json"), TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public async Task Lines_that_can_not_run_are_left_out_and_said()
    {
        var file = _folder.Write(
            "jobs.jsonl",
            """{"custom_id":"good","method":"POST","url":"/v1/completions","body":{"model":"x","prompt":"Story: Once","max_tokens":4}}""",
            """{"custom_id":"hot","method":"POST","url":"/v1/completions","body":{"model":"x","prompt":"Story: Once","temperature":9}}"""
        );

        var ended = await DsdeProgram.RunAsync(
            "bench",
            file,
            "--rounds",
            "1",
            "--round-seconds",
            "0",
            "--batch-size",
            "1",
            "--policies",
            "autoregressive",
            "--out",
            _folder.Path
        );

        ended.ExitCode.ShouldBe(0, ended.Error);
        ended.Error.ShouldContain("1 of the lines");
        ended.Error.ShouldContain("line 2: temperature is 9");
        ended.Output.ShouldContain("(none): 1 job");
    }

    [Theory]
    [InlineData("'static:0' is not known", "--policies", "static:0")]
    [InlineData("has arithmetic, code", "--workloads", "poems")]
    [InlineData("there is no draft model", "--policies", "dsde", "--draft", "none")]
    [InlineData("--batch-size has '0'", "--batch-size", "8,0")]
    [InlineData("--temperature has 'hot'", "--temperature", "hot")]
    [InlineData("--rounds is 0", "--rounds", "0")]
    [InlineData("--round-seconds is 5000", "--round-seconds", "5000")]
    public async Task A_mistake_is_named_with_its_remedy(string message, params string[] arguments)
    {
        var ended = await DsdeProgram.RunAsync(["bench", SampleRun.JobFile, "--limit", "5", "--out", _folder.Path, .. arguments]);

        ended.ExitCode.ShouldBe(2);
        (ended.Error + ended.Output).ShouldContain(message);
    }

    [Fact]
    public async Task Without_a_job_file_there_must_be_something_else_to_measure()
    {
        var ended = await DsdeProgram.RunAsync("bench");

        ended.ExitCode.ShouldBe(2);
        ended.Error.ShouldContain("--roofline");
    }

    [Fact]
    public async Task The_target_is_measured_against_the_machine()
    {
        var ended = await DsdeProgram.RunAsync("bench", "--roofline", "--threads", "1", "--out", _folder.Path);

        ended.ExitCode.ShouldBe(0, ended.Error);
        ended.Output.ShouldContain("plain reads: ");
        var roofline = JsonDocument.Parse(ended.Output.TrimEnd('\n').Split('\n')[^1]).RootElement.GetProperty("roofline");
        roofline.GetProperty("readBytesPerSecond").GetDouble().ShouldBeGreaterThan(1e8);
        roofline.GetProperty("cases").GetArrayLength().ShouldBeGreaterThan(3);
    }

    [Fact]
    public async Task An_interrupted_comparison_ends_at_once_and_shows_what_it_has()
    {
        using var process = DsdeProgram.Start(
            [],
            "bench",
            SampleRun.JobFile,
            "--limit",
            "5",
            "--max-tokens",
            "1000",
            "--ignore-eos",
            "--rounds",
            "50",
            "--batch-size",
            "1",
            "--policies",
            "autoregressive",
            "--out",
            _folder.Path
        );
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);

        (await DsdeProgram.SignalAsync(process, "TERM", TimeSpan.FromSeconds(20))).ShouldBe(130);

        (await output).ShouldBeEmpty(); // not one workload was through
        (await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)).ShouldNotContain("   at ");
    }

    private static double Share(JsonElement row, string name) => row.GetProperty(name).GetDouble();
}
