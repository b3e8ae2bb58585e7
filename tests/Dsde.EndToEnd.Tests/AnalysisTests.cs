using System.Text.Json;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>Jobs are run by the program, and what it says of their traces afterwards is what running them otherwise comes to.</summary>
public sealed class AnalysisTests : IDisposable
{
    private static readonly string[] Policies = ["static:2", "static:6", "dsde-paper", "adaedl"];
    private readonly ScratchFolder _folder = new("analysis");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_a_replay_of_surveyed_jobs_counts_is_what_running_the_policies_counts()
    {
        var surveyed = await RunAsync("static:4", ("Dsde__Worker__TelemetryLevel", "replay"));
        var ended = await DsdeProgram.RunAsync(
            "replay",
            "--database",
            Path.Combine(surveyed, "dsde.db"),
            "--policies",
            string.Join(',', Policies),
            "--format",
            "json"
        );
        ended.ExitCode.ShouldBe(0, ended.Error);
        var report = JsonDocument.Parse(ended.Output).RootElement;

        var results = report.GetProperty("results").EnumerateArray().ToDictionary(result => result.GetProperty("policy").GetString() ?? "");
        foreach (var policy in Policies)
        {
            results[policy].GetProperty("exactOutputs").GetInt32().ShouldBe(report.GetProperty("outputs").GetInt32(), policy);
            var really = await DsdeProgram.RunAsync(
                "replay",
                "--database",
                Path.Combine(await RunAsync(policy), "dsde.db"),
                "--policies",
                policy,
                "--format",
                "json"
            );
            var ran = JsonDocument.Parse(really.Output).RootElement.GetProperty("ran");
            var replayed = results[policy].GetProperty("counts");
            foreach (var count in (string[])["outputs", "tokens", "iterations", "speculating", "proposed", "accepted"])
            {
                replayed.GetProperty(count).GetDouble().ShouldBe(ran.GetProperty(count).GetDouble(), $"{policy}: {count}");
            }
        }

        var oracle = results["oracle"].GetProperty("counts");
        oracle.GetProperty("acceptanceRate").GetDouble().ShouldBe(1, "all is known of surveyed jobs");
    }

    [Fact]
    public async Task Two_runs_are_compared_by_their_prompts()
    {
        var (first, second) = (await RunAsync("static:1"), await RunAsync("static:6"));

        var ended = await DsdeProgram.RunAsync("compare", first, second);

        ended.ExitCode.ShouldBe(0, ended.Error);
        ended.Output.ShouldMatch("(?m)^compared by [0-9]+ prompts that both have$");
        ended.Output.ShouldMatch(
            "(?m)^The block efficiency of the second is [0-9.]+ % higher .*: the difference is real, and the second is better\\.$"
        );
        ended.Output.ShouldMatch(
            "(?m)^The acceptance of the second is [0-9.]+ % lower .*: the difference is real, and the first is better\\.$"
        );
        ended.Output.ShouldContain("The tokens per output is the same in both.");
    }

    /// <summary>Runs jobs of the sample one after the other. The folder has their database.</summary>
    private async Task<string> RunAsync(string policy, params (string, string)[] environment)
    {
        var folder = _folder.PathOf(policy);
        var ended = await DsdeProgram.RunAsync(
            environment,
            "run",
            SampleRun.JobFile,
            "--limit",
            "20",
            "--policy",
            policy,
            "--batch-size",
            "1",
            "--dtype",
            "fp32",
            "--no-speedup",
            "--out",
            folder
        );
        ended.ExitCode.ShouldBe(0, ended.Error);
        return folder;
    }
}
