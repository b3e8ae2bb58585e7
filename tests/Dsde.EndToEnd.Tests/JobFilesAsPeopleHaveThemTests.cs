using System.Text.Json;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>Job files with mistakes, from pipes, for several models, and runs that are broken off.</summary>
public sealed class JobFilesAsPeopleHaveThemTests
{
    private static readonly (string Fields, string Says)[] Mistakes =
    [
        ("\"temperature\":1e400", "temperature is beyond 1.8e308; give 0 (greedy) to 2"),
        ("\"temperature\":-0.5", "temperature is -0.5; give 0 (greedy) to 2"),
        ("\"top_p\":1e400", "top_p is beyond 1.8e308; give more than 0 and at most 1"),
        ("\"top_p\":0", "top_p is 0; give more than 0 and at most 1"),
        ("\"min_p\":-1e999", "min_p is below -1.8e308; give 0 (off) to 1"),
        ("\"repetition_penalty\":1e400", "repetition_penalty is beyond 1.8e308; give 0.01 to 100"),
        ("\"presence_penalty\":1e400", "presence_penalty is beyond 1.8e308; give -2 to 2"),
        ("\"frequency_penalty\":-1e400", "frequency_penalty is below -1.8e308; give -2 to 2"),
        ("\"logit_bias\":{\"5\":1e400}", "logit_bias of token 5 is beyond 1.8e308; give -100 to 100"),
        ("\"logit_bias\":{\"the\":1}", "logit_bias has the token 'the'; give token ids"),
        ("\"n\":0", "n is 0; give 1 to 128"),
        ("\"n\":1.5", "body.n must be a whole number, but is 1.5"),
        ("\"seed\":1e400", "body.seed must be a whole number, but is 1e400"),
        ("\"temperature\":\"hot\"", "body.temperature must be a number, but is \"hot\""),
        ("\"echo\":true", "body.echo is true, which is not supported; only false is"),
        ("\"best_of\":2", "body.best_of is 2, which is not supported; only 1 is"),
        ("\"suffix\":\"x\"", "body.suffix is \"x\", which is not supported"),
        ("\"stream\":true", "body.stream is true, which is not supported; only false is"),
        ("\"response_format\":{\"type\":\"json_object\"}", "body.response_format is not supported"),
        ("\"tools\":[{}]", "body.tools is not supported"),
        ("\"temperture\":1", "Did you mean 'temperature'?"),
    ];

    [Fact]
    public async Task A_line_with_a_mistake_costs_itself_only_and_says_field_value_and_what_is_allowed()
    {
        using var folder = new ScratchFolder();
        var lines = Mistakes.SelectMany((mistake, i) => new[] { Line($"good-{i}"), Line($"bad-{i}", mistake.Fields) }).Append("{");
        var file = folder.Write("jobs.jsonl", [.. lines]);

        var ended = await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--no-speedup");

        ended.ExitCode.ShouldBe(1, ended.Error + ended.Output);
        ResultLine
            .Read(Path.Combine(folder.Path, "results.jsonl"))
            .Select(result => result.CustomId)
            .ShouldBe(Enumerable.Range(0, Mistakes.Length).Select(i => $"good-{i}"));
        var errors = ReadErrors(folder);
        errors.Count.ShouldBe(Mistakes.Length + 1);
        for (var i = 0; i < Mistakes.Length; i++)
        {
            errors[i].CustomId.ShouldBe($"bad-{i}");
            errors[i].Message.ShouldContain(Mistakes[i].Says);
        }
    }

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
    public async Task A_file_for_several_models_runs_the_lines_of_the_one_that_is_served()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("jobs.jsonl", Line("mine"), Line("other", model: "gpt-4o"), Line("mine-too"));

        var ended = await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--no-speedup");

        ended.ExitCode.ShouldBe(1, ended.Error + ended.Output);
        ResultLine.Read(Path.Combine(folder.Path, "results.jsonl")).Select(result => result.CustomId).ShouldBe(["mine", "mine-too"]);
        ReadErrors(folder).ShouldHaveSingleItem().Message.ShouldStartWith("Model 'gpt-4o' is not served here; served: ");
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
