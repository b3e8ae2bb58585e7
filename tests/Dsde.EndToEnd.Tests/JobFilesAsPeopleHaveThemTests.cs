using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Dsde.Testing;
using Microsoft.Win32.SafeHandles;

namespace Dsde.EndToEnd.Tests;

/// <summary>Job files from pipes, for several models, and runs that are broken off.</summary>
public sealed class JobFilesAsPeopleHaveThemTests
{
    [Fact]
    public async Task A_killed_run_leaves_the_results_it_had_and_another_one_goes_on_from_them()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write(
            "jobs.jsonl",
            [.. Enumerable.Range(0, 400).Select(i => Line($"job-{i}", "\"seed\":1", maxTokens: 30)), "{"]
        );
        using (var process = DsdeProgram.Start([], "run", file, "--out", folder.Path, "--no-speedup"))
        {
            var results = Path.Combine(folder.Path, "results.jsonl");
            while (!process.HasExited && (!File.Exists(results) || CountLines(results) < 20))
            {
                await Task.Yield();
            }

            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var kept = ResultLine.Read(Path.Combine(folder.Path, "results.jsonl"));
        kept.Count.ShouldBeInRange(20, 399);
        ReadErrors(folder).Count.ShouldBe(1);

        var ended = await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--no-speedup", "--resume");

        ended.ExitCode.ShouldBe(1, ended.Error + ended.Output);
        ended.Output.ShouldContain("had ended before; what became of them is kept");
        var all = ResultLine.Read(Path.Combine(folder.Path, "results.jsonl"));
        all.Select(result => result.CustomId).ShouldBe(Enumerable.Range(0, 400).Select(i => $"job-{i}"));
        var byId = all.ToDictionary(result => result.CustomId, result => result.Line.GetRawText());
        kept.ShouldAllBe(result => byId[result.CustomId] == result.Line.GetRawText());
        (await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--resume")).Error.ShouldContain("Run it without --resume");
    }

    [Fact]
    public async Task A_run_that_is_killed_while_it_puts_its_results_in_order_is_finished_without_running_a_job_again()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("jobs.jsonl", [.. Enumerable.Range(0, 20).Select(i => Line($"job-{i}")), "{"]);
        using (var process = await StartUnfinishableAsync(folder, file, jobCount: 20))
        {
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        File.Delete(folder.PathOf("results.jsonl.partial"));
        var kept = ResultLine.Read(folder.PathOf("results.jsonl"));

        var ended = await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--no-speedup", "--resume");

        ended.ExitCode.ShouldBe(1, ended.Error + ended.Output); // for the line that is no job
        ended.Output.ShouldContain("20 jobs had ended before; what became of them is kept");
        var all = ResultLine.Read(folder.PathOf("results.jsonl"));
        all.Select(result => result.CustomId).ShouldBe(Enumerable.Range(0, 20).Select(i => $"job-{i}"));
        all.Select(result => result.Line.GetRawText()).ShouldBe(kept.Select(result => result.Line.GetRawText()), ignoreOrder: true);
        ReadErrors(folder).Count.ShouldBe(1);
        (await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--resume")).Error.ShouldContain("Run it without --resume");
    }

    [Fact]
    public async Task A_run_that_is_interrupted_while_it_puts_its_results_in_order_says_so_and_can_be_gone_on_with()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("jobs.jsonl", [.. Enumerable.Range(0, 400).Select(i => Line($"job-{i}"))]);
        using var process = await StartUnfinishableAsync(folder, file, jobCount: 400);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await using var reader = new FileStream(folder.PathOf("results.jsonl.partial"), FileMode.Open, FileAccess.Read);
        File.Delete(reader.Name); // this one goes on being written as fast as it is read here; the next one is a file

        var ending = DsdeProgram.SignalAsync(process, "INT", TimeSpan.FromSeconds(60));
        var block = new byte[1024];
        while (await reader.ReadAsync(block, TestContext.Current.CancellationToken) > 0)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        (await ending).ShouldBe(130);
        var results = folder.PathOf("results.jsonl");
        (await error)
            .Trim()
            .ShouldBe(
                $"dsde: interrupted; 400 results in {results}; go on with: dsde run {file} --out {folder.Path} --no-speedup --resume"
            );
        ResultLine.Read(results).Select(result => result.CustomId).ShouldBe(Enumerable.Range(0, 400).Select(i => $"job-{i}"));
        var ended = await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--no-speedup", "--resume");
        ended.ExitCode.ShouldBe(0, ended.Error + ended.Output);
        ended.Output.ShouldContain("400 jobs had ended before; what became of them is kept");
    }

    [Fact]
    public async Task A_second_run_in_the_folder_of_one_at_work_is_refused_and_a_killed_one_stands_in_nobodys_way()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("jobs.jsonl", Line("a"), Line("b"));
        DsdeProgram.Ended second;
        using (var process = await StartUnfinishableAsync(folder, file, jobCount: 2))
        {
            second = await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--no-speedup");
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        second.ExitCode.ShouldBe(2, second.Output);
        second.Error.ShouldStartWith($"dsde: Another dsde run is at work in the folder {folder.Path}. Give this one another folder");
        ResultLine.Read(folder.PathOf("results.jsonl")).Count.ShouldBe(2);
        File.Delete(folder.PathOf("results.jsonl.partial"));
        var next = await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--no-speedup");
        next.ExitCode.ShouldBe(0, next.Error + next.Output);
    }

    [Fact]
    public async Task To_go_on_with_a_run_that_never_came_to_its_database_is_to_begin()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("jobs.jsonl", Line("a"), Line("b"));

        var ended = await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--no-speedup", "--resume");

        ended.ExitCode.ShouldBe(0, ended.Error + ended.Output);
        ended.Output.ShouldContain("beginning with the first job");
        ResultLine.Read(Path.Combine(folder.Path, "results.jsonl")).Select(result => result.CustomId).ShouldBe(["a", "b"]);
    }

    [Theory]
    [InlineData("cat '{0}' | dsde run - --out '{1}' --no-speedup")]
    [InlineData("dsde run - --out '{1}' --no-speedup < '{0}'")]
    [InlineData("dsde run <(cat '{0}') --out '{1}' --no-speedup")]
    [InlineData("mkfifo '{1}/pipe'; cat '{0}' > '{1}/pipe' & dsde run '{1}/pipe' --out '{1}' --no-speedup")]
    public async Task Jobs_come_through_a_pipe_as_well(string command)
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("jobs.jsonl", Line("a"), Line("b"));

        var ended = await DsdeProgram.RunTypedAsync(
            [],
            command.Replace("{0}", file, StringComparison.Ordinal).Replace("{1}", folder.Path, StringComparison.Ordinal)
        );

        ended.ExitCode.ShouldBe(0, ended.Error + ended.Output);
        ResultLine.Read(Path.Combine(folder.Path, "results.jsonl")).Select(result => result.CustomId).ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task A_run_that_is_killed_while_it_reads_a_pipe_leaves_nothing_in_the_temporary_folder()
    {
        using var folder = new ScratchFolder();
        var (temporary, pipe) = (folder.PathOf("tmp"), folder.PathOf("pipe"));
        Directory.CreateDirectory(temporary);
        await MakePipeAsync(pipe);
        using var process = DsdeProgram.Start([("TMPDIR", temporary)], "run", pipe, "--out", folder.PathOf("out"));
        await using var writer = new FileStream(pipe, FileMode.Open, FileAccess.Write);
        await writer.WriteAsync(Encoding.UTF8.GetBytes(Line("a") + "\n"), TestContext.Current.CancellationToken);
        await writer.FlushAsync(TestContext.Current.CancellationToken);
        while (!process.HasExited && !HasCopied(process.Id, temporary))
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Directory.GetFileSystemEntries(temporary).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_for_several_models_runs_the_lines_of_the_one_that_is_served()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("jobs.jsonl", Line("mine"), Line("other", model: "gpt-4o"), Line("mine-too"));

        var ended = await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--no-speedup");

        ended.ExitCode.ShouldBe(1, ended.Error + ended.Output);
        ResultLine.Read(Path.Combine(folder.Path, "results.jsonl")).Select(result => result.CustomId).ShouldBe(["mine", "mine-too"]);
        ReadErrors(folder).ShouldHaveSingleItem().Message.ShouldStartWith("model is 'gpt-4o', which is not served here; give ");
    }

    [Theory]
    [InlineData("")]
    [InlineData("--target \"$DSDE_HOME/models/dsde-demo-target/\"")]
    public async Task The_demo_models_alias_is_served_from_any_folder(string target)
    {
        using var folder = new ScratchFolder();
        folder.Write("jobs.jsonl", Line("mine"), Line("other", model: "gpt-4o"));

        var ended = await DsdeProgram.RunTypedAsync(
            [("DSDE_HOME", Repository.PathOf("."))],
            $"cd '{folder.Path}' && dsde run jobs.jsonl {target} --out . --no-speedup"
        );

        ended.ExitCode.ShouldBe(1, ended.Error + ended.Output);
        ResultLine.Read(Path.Combine(folder.Path, "results.jsonl")).Select(result => result.CustomId).ShouldBe(["mine"]);
    }

    [Fact]
    public async Task A_file_for_one_model_runs_whatever_its_name_and_says_so()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("jobs.jsonl", Line("a", model: "gpt-4o"), Line("b", model: "gpt-4o"));

        var ended = await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--no-speedup");

        ended.ExitCode.ShouldBe(0, ended.Error + ended.Output);
        ended.Output.ShouldContain("all lines name the model 'gpt-4o'; dsde-demo-target ran them");
    }

    private static string Line(string customId, string fields = "\"seed\":1", string model = "dsde-demo", int maxTokens = 2) =>
        $$"""{"custom_id":"{{customId}}","url":"/v1/completions","body":{"model":"{{model}}","prompt":"Story: Once","""
        + $"\"max_tokens\":{maxTokens},{fields}}}}}";

    /// <summary>A run whose jobs have all ended, and that gets no further: nobody reads the pipe that it writes the results to.</summary>
    private static async Task<Process> StartUnfinishableAsync(ScratchFolder folder, string file, int jobCount)
    {
        await MakePipeAsync(folder.PathOf("results.jsonl.partial"));
        var process = DsdeProgram.Start([], "run", file, "--out", folder.Path, "--no-speedup");
        var results = folder.PathOf("results.jsonl");
        while (!process.HasExited && (!File.Exists(results) || CountLines(results) < jobCount))
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        process.HasExited.ShouldBeFalse();
        return process;
    }

    private static async Task MakePipeAsync(string path)
    {
        using var maker = Process.Start("mkfifo", [path]);
        await maker.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Whether a process has a file with something in it, which was made in a folder.</summary>
    private static bool HasCopied(int processId, string folder) =>
        new DirectoryInfo($"/proc/{processId}/fd")
            .EnumerateFileSystemInfos()
            .Any(file =>
                file.LinkTarget?.StartsWith(folder, StringComparison.Ordinal) == true
                && File.OpenHandle(file.FullName, share: FileShare.ReadWrite | FileShare.Delete) is var handle
                && HasBytes(handle)
            );

    private static bool HasBytes(SafeFileHandle handle)
    {
        using (handle)
        {
            return RandomAccess.GetLength(handle) > 0;
        }
    }

    private static int CountLines(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Count(character => character == '\n');
    }

    private static List<(string? CustomId, string Message)> ReadErrors(ScratchFolder folder) =>
        [
            .. File.ReadLines(Path.Combine(folder.Path, "errors.jsonl"))
                .Select(line => JsonDocument.Parse(line).RootElement)
                .Select(line =>
                    (
                        line.GetProperty("custom_id").GetString(),
                        (
                            line.GetProperty("response") is { ValueKind: JsonValueKind.Object } response
                                ? response.GetProperty("body").GetProperty("error")
                                : line.GetProperty("error")
                        )
                            .GetProperty("message")
                            .GetString()!
                    )
                ),
        ];
}
