using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dsde.Batches.Following;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

public sealed class EmbeddedRunTests(SampleRun sample)
{
    [Fact]
    public async Task Every_sample_job_completes_and_results_come_in_the_order_of_the_file()
    {
        var ended = await sample.Ended;
        ended.ExitCode.ShouldBe(0, ended.Error + ended.Output);
        var submitted = File.ReadLines(SampleRun.JobFile)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("custom_id").GetString())
            .ToList();

        var results = ResultLine.Read(Path.Combine(sample.Folder, "results.jsonl"));

        submitted.Count.ShouldBeGreaterThanOrEqualTo(64);
        results.Select(result => result.CustomId).ShouldBe(submitted);
        results.ShouldAllBe(result => result.Text.Length > 0);
        File.Exists(Path.Combine(sample.Folder, "errors.jsonl")).ShouldBeFalse();
    }

    [Fact]
    public async Task The_run_ends_with_a_row_per_workload_and_shows_progress_in_plain_lines()
    {
        var output = (await sample.Ended).Output;
        foreach (var row in new[] { "arithmetic", "code", "questions", "records", "stories", "all" })
        {
            output.ShouldContain($"\n  {row} ");
        }

        output.ShouldContain("speed-up");
        output.ShouldContain("75/75 jobs");
        output.ShouldMatch("(?m)^speculation paid for [0-9]+ of 75 jobs$");
        output.ShouldNotContain("\u001b", Case.Sensitive);
    }

    [Fact]
    public async Task Greedy_records_are_JSON_and_greedy_arithmetic_ends_with_an_answer()
    {
        await sample.Ended;
        var greedy = File.ReadLines(SampleRun.JobFile)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.GetProperty("body").GetProperty("temperature").GetDouble() == 0)
            .Select(line => line.GetProperty("custom_id").GetString())
            .ToHashSet();
        var results = ResultLine
            .Read(Path.Combine(sample.Folder, "results.jsonl"))
            .Where(result => greedy.Contains(result.CustomId))
            .ToList();

        results.Count(result => result.CustomId.StartsWith("records", StringComparison.Ordinal)).ShouldBeGreaterThan(3);
        foreach (var result in results.Where(result => result.CustomId.StartsWith("records", StringComparison.Ordinal)))
        {
            Should.NotThrow(() => JsonDocument.Parse(result.Text), result.Text);
        }

        results
            .Where(result => result.CustomId.StartsWith("arithmetic", StringComparison.Ordinal))
            .ShouldAllBe(result => result.Text.Contains("The answer is "));
    }

    [Fact]
    public async Task A_run_that_is_stopped_while_it_loads_its_models_says_that_nothing_was_done()
    {
        using var folder = new ScratchFolder();
        using var process = DsdeProgram.Start([], "run", SampleRun.JobFile, "--out", folder.Path);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        while (!File.Exists(folder.PathOf("dsde-run.lock"))) // the last thing before
        {
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        (await DsdeProgram.SignalAsync(process, "TERM", TimeSpan.FromSeconds(20))).ShouldBe(130);

        (await error).Trim().ShouldBe("dsde: interrupted before the run began; go on with the same command");
    }

    [Fact]
    public async Task An_interrupted_run_ends_at_once_and_keeps_what_is_done()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write(
            "jobs.jsonl",
            [
                .. Enumerable
                    .Range(0, 40)
                    .SelectMany(round =>
                        File.ReadLines(SampleRun.JobFile)
                            .Select(line => line.Replace("\"custom_id\":\"", $"\"custom_id\":\"{round}-", StringComparison.Ordinal))
                    ),
            ]
        );
        using var process = DsdeProgram.Start([], "run", file, "--out", folder.Path);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        while (
            await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line
            && !Regex.IsMatch(line, "^[1-9][0-9]*/")
        ) { }

        var ended = await DsdeProgram.SignalAsync(process, "INT", TimeSpan.FromSeconds(20));

        ended.ShouldBe(130);
        var results = ResultLine.Read(Path.Combine(folder.Path, "results.jsonl"));
        results.Count.ShouldBeGreaterThan(0);
        (await error).Trim().ShouldStartWith($"dsde: interrupted; {results.Count} result");
        (await error).Trim().ShouldEndWith($"; go on with: dsde run {file} --out {folder.Path} --resume");
        (await error).Trim().Split('\n').Length.ShouldBe(1);
        (results.Count + File.ReadLines(Path.Combine(folder.Path, "errors.jsonl")).Count()).ShouldBe(File.ReadLines(file).Count());
    }

    [Fact]
    public async Task Defaults_of_the_model_are_told_as_those_of_jobs_that_leave_them_open_and_its_token_limit_as_that_of_all()
    {
        using var folder = new ScratchFolder();
        var target = folder.PathOf("target");
        Directory.CreateDirectory(target);
        foreach (var file in new DirectoryInfo(Repository.PathOf("models", "dsde-demo-target")).GetFiles())
        {
            file.CopyTo(Path.Combine(target, file.Name));
        }

        await File.WriteAllTextAsync(
            Path.Combine(target, "generation_config.json"),
            """{"eos_token_id":[2,0],"top_k":20,"max_new_tokens":3}""",
            TestContext.Current.CancellationToken
        );
        var jobs = folder.Write(
            "jobs.jsonl",
            """{"custom_id":"more","method":"POST","url":"/v1/completions","body":{"model":"x","prompt":"Story: Once","max_tokens":50"""
                + ""","temperature":0,"ignore_eos":true}}"""
        );

        var ended = await DsdeProgram.RunAsync("run", jobs, "--out", folder.Path, "--target", target, "--draft", "none", "--no-speedup");

        ended.ExitCode.ShouldBe(0, ended.Error + ended.Output);
        ended.Output.ShouldContain("note: jobs that leave them open get the model's defaults: top_k 20 (");
        ended.Output.ShouldContain("note: no job gets more tokens than the model's max_new_tokens, 3 (");
        ResultLine
            .Read(folder.PathOf("results.jsonl"))
            .ShouldHaveSingleItem()
            .Line.GetProperty("response")
            .GetProperty("body")
            .GetProperty("usage")
            .GetProperty("completion_tokens")
            .GetInt32()
            .ShouldBe(3);
    }

    [Fact]
    public async Task Token_ids_come_back_when_a_job_asks_for_them()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write(
            "jobs.jsonl",
            """{"custom_id":"plain","method":"POST","url":"/v1/completions","body":{"model":"x","prompt":"Q: Which day comes after """
                + """Monday?\nA:","max_tokens":8,"temperature":0,"return_token_ids":true,"logprobs":1}}""",
            """{"custom_id":"silent","method":"POST","url":"/v1/completions","body":{"model":"x","prompt":"Q: Which day comes after """
                + """Monday?\nA:","max_tokens":8,"temperature":0}}"""
        );

        (
            await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--no-speedup", "--policy", "static:3", "--batch-size", "2")
        ).ExitCode.ShouldBe(0);

        var results = ResultLine.Read(Path.Combine(folder.Path, "results.jsonl"));
        var choice = results[0].Line.GetProperty("response").GetProperty("body").GetProperty("choices")[0];
        var usage = results[0].Line.GetProperty("response").GetProperty("body").GetProperty("usage");
        choice.GetProperty("token_ids").GetArrayLength().ShouldBe(usage.GetProperty("completion_tokens").GetInt32());
        choice.GetProperty("prompt_token_ids").GetArrayLength().ShouldBe(usage.GetProperty("prompt_tokens").GetInt32());
        choice
            .GetProperty("logprobs")
            .GetProperty("token_logprobs")
            .EnumerateArray()
            .ShouldAllBe(value => value.GetDouble() <= 0 && value.GetDouble() != 0 || value.GetDouble() > -1e-3);
        results[1]
            .Line.GetProperty("response")
            .GetProperty("body")
            .GetProperty("choices")[0]
            .TryGetProperty("token_ids", out _)
            .ShouldBeFalse();
        results[0].Text.ShouldBe(results[1].Text);
        results[0]
            .Line.GetProperty("response")
            .GetProperty("body")
            .GetProperty("dsde")
            .GetProperty("policy")
            .GetString()
            .ShouldBe("static:3");
    }

    [Fact]
    public async Task Several_outputs_and_prompts_biases_stop_tokens_and_the_most_probable_tokens_come_through_the_whole_pipeline()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write(
            "jobs.jsonl",
            """{"custom_id":"three","method":"POST","url":"/v1/completions","body":{"model":"x","prompt":"Story: Once","max_tokens":12"""
                + ""","temperature":1,"seed":5,"n":3,"sampling_mode":"coupled","logprobs":2}}""",
            """{"custom_id":"one","method":"POST","url":"/v1/completions","body":{"model":"x","prompt":"Story: Once","max_tokens":12"""
                + ""","temperature":1,"seed":5,"sampling_mode":"coupled"}}""",
            """{"custom_id":"biased","method":"POST","url":"/v1/completions","body":{"model":"x","prompt":"Story: Once","max_tokens":3"""
                + ""","temperature":0,"logit_bias":{"50":100},"return_token_ids":true}}""",
            """{"custom_id":"stopped","method":"POST","url":"/v1/completions","body":{"model":"x","prompt":"Story: Once","max_tokens":3"""
                + ""","temperature":0,"logit_bias":{"50":100},"stop_token_ids":[50],"return_token_ids":true}}""",
            """{"custom_id":"prompts","method":"POST","url":"/v1/completions","body":{"model":"x","prompt":["Q: 2+2?\nA:","Story:"""
                + """ Once",[50]],"max_tokens":12,"temperature":1,"seed":5,"n":2,"sampling_mode":"coupled","return_token_ids":true}}"""
        );

        var ended = await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--no-speedup");

        ended.ExitCode.ShouldBe(0, ended.Error + ended.Output);
        var bodies = ResultLine
            .Read(Path.Combine(folder.Path, "results.jsonl"))
            .Select(result => result.Line.GetProperty("response").GetProperty("body"))
            .ToList();
        var choices = bodies[0].GetProperty("choices").EnumerateArray().ToList();
        choices.Select(choice => choice.GetProperty("index").GetInt32()).ShouldBe([0, 1, 2]);
        choices.Select(choice => choice.GetProperty("text").GetString()).Distinct().Count().ShouldBeGreaterThan(1);
        choices[0].GetProperty("text").GetString().ShouldBe(bodies[1].GetProperty("choices")[0].GetProperty("text").GetString());
        foreach (var logprobs in choices.Select(choice => choice.GetProperty("logprobs")))
        {
            var tops = logprobs.GetProperty("top_logprobs").EnumerateArray().ToList();
            var chosen = logprobs.GetProperty("token_logprobs").EnumerateArray().Select(value => value.GetDouble()).ToList();
            tops.Count.ShouldBe(chosen.Count);
            foreach (var (index, top) in tops.Index())
            {
                var values = top.EnumerateObject().Select(token => token.Value.GetDouble()).ToList();
                values.ShouldContain(chosen[index]);
                values.Count.ShouldBeInRange(2, 3); // the chosen token besides, if it is none of the two
            }
        }

        bodies[0]
            .GetProperty("usage")
            .GetProperty("completion_tokens")
            .GetInt32()
            .ShouldBe(choices.Sum(choice => choice.GetProperty("logprobs").GetProperty("tokens").GetArrayLength()));
        bodies[2].GetProperty("choices")[0].GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32()).ShouldBe([50, 50, 50]);
        bodies[3].GetProperty("choices")[0].GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32()).ShouldBe([50]);
        bodies[3].GetProperty("choices")[0].GetProperty("finish_reason").GetString().ShouldBe("stop");
        var continued = bodies[4].GetProperty("choices").EnumerateArray().ToList();
        continued.Select(choice => choice.GetProperty("index").GetInt32()).ShouldBe([0, 1, 2, 3, 4, 5]);
        continued[2].GetProperty("text").GetString().ShouldBe(choices[2].GetProperty("text").GetString()); // same prompt, same seed
        var prompts = continued.Select(choice => choice.GetProperty("prompt_token_ids").GetRawText()).ToList();
        prompts.ShouldBe([prompts[0], prompts[0], prompts[2], prompts[2], "[50]", "[50]"]);
        bodies[4]
            .GetProperty("usage")
            .GetProperty("prompt_tokens")
            .GetInt32()
            .ShouldBe(new[] { 0, 2, 4 }.Sum(first => continued[first].GetProperty("prompt_token_ids").GetArrayLength()));
    }

    [Fact]
    public async Task Log_probabilities_come_with_the_texts_of_their_tokens_unless_a_line_wants_ids()
    {
        const string Question = "Q: Which day comes after Monday?\\nA:";
        using var folder = new ScratchFolder();
        var file = folder.Write(
            "jobs.jsonl",
            Completion("texts", "\"logprobs\":3"),
            Completion("ids", "\"logprobs\":3,\"return_tokens_as_token_ids\":true"),
            """{"custom_id":"chat","method":"POST","url":"/v1/chat/completions","body":{"model":"x","messages":[{"role":"user","""
                + """ "content":"Häuser 🙂?"}],"max_tokens":12,"temperature":0,"logprobs":true,"top_logprobs":2}}"""
        );

        var ended = await DsdeProgram.RunAsync("run", file, "--out", folder.Path, "--no-speedup");

        ended.ExitCode.ShouldBe(0, ended.Error + ended.Output);
        var results = ResultLine.Read(Path.Combine(folder.Path, "results.jsonl"));
        var (texts, ids) = (LogProbabilities(results[0]), LogProbabilities(results[1]));
        var tokens = Strings(texts.GetProperty("tokens"));
        var offsets = texts.GetProperty("text_offset").EnumerateArray().Select(offset => offset.GetInt32()).ToList();
        results[0].Text.ShouldNotBeEmpty();
        string.Concat(tokens).ShouldStartWith(results[0].Text);
        offsets.Count.ShouldBe(tokens.Count);
        foreach (var (token, offset) in tokens.Zip(offsets).Where(pair => pair.Second < results[0].Text.Length))
        {
            results[0].Text[offset..].ShouldStartWith(token);
        }

        texts
            .GetProperty("top_logprobs")
            .EnumerateArray()
            .Zip(tokens)
            .ShouldAllBe(pair => pair.First.EnumerateObject().Count() == 3 && pair.First.EnumerateObject().First().Name == pair.Second);
        Strings(ids.GetProperty("tokens")).ShouldAllBe(token => token.StartsWith("token_id:", StringComparison.Ordinal));
        ids.GetProperty("text_offset").ValueKind.ShouldBe(JsonValueKind.Null);

        var content = LogProbabilities(results[2]).GetProperty("content").EnumerateArray().ToList();
        Encoding.UTF8.GetString([.. content.SelectMany(Bytes)]).ShouldStartWith(results[2].Text);
        content.ShouldAllBe(token => token.GetProperty("top_logprobs").EnumerateArray().First().GetProperty("bytes").GetArrayLength() > 0);

        static string Completion(string id, string more) =>
            $$$"""{"custom_id":"{{{id}}}","method":"POST","url":"/v1/completions","body":{"model":"x","prompt":"{{{Question}}}" """
            + $$$""" ,"max_tokens":12,"temperature":0,{{{more}}}}}""";

        static JsonElement LogProbabilities(ResultLine line) =>
            line.Line.GetProperty("response").GetProperty("body").GetProperty("choices")[0].GetProperty("logprobs");

        static List<string> Strings(JsonElement list) => [.. list.EnumerateArray().Select(item => item.GetString() ?? "")];

        static IEnumerable<byte> Bytes(JsonElement token) => token.GetProperty("bytes").EnumerateArray().Select(value => value.GetByte());
    }
}
