using System.Text.Json;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>Bad input ends with a message that names it, and disturbs nothing else.</summary>
public sealed class BadInputTests : IDisposable
{
    private const string Good =
        """{"custom_id":"good","method":"POST","url":"/v1/completions","body":{"model":"x","prompt":"Q: Which day comes after """
        + """Monday?\nA:","max_tokens":8,"temperature":0}}""";

    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bad_lines_are_reported_one_by_one_and_good_ones_run()
    {
        var tooLong = string.Concat(Enumerable.Repeat("word ", 3000));
        var file = _folder.Write(
            "jobs.jsonl",
            "this is not JSON",
            Line("cold", "\"temperature\":-1"),
            Line("none", "\"max_tokens\":0"),
            Good,
            Good.Replace("good", "long", StringComparison.Ordinal).Replace("Q: ", tooLong, StringComparison.Ordinal),
            Line("odd", "\"frobnicate\":1")
        );

        var ended = await RunAsync(file);

        ended.ExitCode.ShouldBe(1, ended.Error);
        ResultLine.Read(Path.Combine(_folder.Path, "results.jsonl")).ShouldHaveSingleItem().CustomId.ShouldBe("good");
        var errors = File.ReadLines(Path.Combine(_folder.Path, "errors.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToList();
        errors.Select(error => error.GetProperty("line").GetInt32()).ShouldBe([1, 2, 3, 5, 6]);
        string[] expected = ["not JSON", "temperature is -1", "max_tokens is 0", "the model's context holds 1024", "frobnicate"];
        for (var i = 0; i < expected.Length; i++)
        {
            errors[i]
                .GetProperty("response")
                .GetProperty("body")
                .GetProperty("error")
                .GetProperty("message")
                .GetString()
                .ShouldNotBeNull()
                .ShouldContain(expected[i]);
        }
    }

    [Fact]
    public async Task An_empty_file_has_no_jobs() => ShouldBeRefused(await RunAsync(_folder.Write("empty.jsonl")), "has no jobs");

    [Fact]
    public async Task A_missing_file_is_named() =>
        ShouldBeRefused(await RunAsync(Path.Combine(_folder.Path, "nowhere.jsonl")), "nowhere.jsonl is missing");

    [Fact]
    public async Task A_missing_model_folder_is_named() =>
        ShouldBeRefused(
            await RunAsync(_folder.Write("jobs.jsonl", Good), "--target", Path.Combine(_folder.Path, "no-model")),
            "no-model is missing"
        );

    [Fact]
    public async Task A_truncated_weights_file_is_named()
    {
        var broken = Path.Combine(_folder.Path, "broken");
        Directory.CreateDirectory(broken);
        foreach (var file in Directory.GetFiles(Repository.PathOf("models", "dsde-demo-target")))
        {
            File.Copy(file, Path.Combine(broken, Path.GetFileName(file)));
        }

        using (var weights = File.OpenWrite(Path.Combine(broken, "model.safetensors")))
        {
            weights.SetLength(weights.Length / 2);
        }

        ShouldBeRefused(await RunAsync(_folder.Write("jobs.jsonl", Good), "--target", broken), "model.safetensors");
    }

    [Theory]
    [InlineData("--policy", "fast", "Policy 'fast' is not known")]
    [InlineData("--dtype", "int3", "must be auto, bf16, fp16 or fp32")]
    [InlineData("--limit", "0", "--limit is 0")]
    [InlineData("--batch-size", "0", "--batch-size is '0'; give a whole number from 1 to 1024")]
    public async Task A_wrong_option_is_named_with_what_is_allowed(string option, string value, string message) =>
        ShouldBeRefused(await RunAsync(_folder.Write("jobs.jsonl", Good), option, value), message);

    [Fact]
    public async Task A_misspelt_setting_is_named() =>
        ShouldBeRefused(
            await DsdeProgram.RunAsync([("Dsde__Engine__BatchSise", "4")], "run", _folder.Write("jobs.jsonl", Good), "--out", _folder.Path),
            "BatchSise"
        );

    [Fact]
    public async Task A_broker_that_is_not_there_is_named()
    {
        var database = Path.Combine(_folder.Path, "client.db");
        (await DsdeProgram.RunAsync("db", "migrate", "--provider", "sqlite", "--connection", $"Data Source={database}")).ExitCode.ShouldBe(
            0
        );

        var ended = await DsdeProgram.RunAsync(
            [
                ("Dsde__RabbitMq__Host", "127.0.0.1"),
                ("Dsde__RabbitMq__Port", "1"),
                ("Dsde__Persistence__Provider", "sqlite"),
                ("Dsde__Persistence__ConnectionString", $"Data Source={database}"),
            ],
            "submit",
            _folder.Write("jobs.jsonl", Good),
            "--patience",
            "0"
        );

        ShouldBeRefused(ended, "RabbitMQ at 127.0.0.1:1 can't be reached");
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_named_without_its_password()
    {
        var ended = await DsdeProgram.RunAsync(
            "db",
            "migrate",
            "--connection",
            "Host=127.0.0.1;Port=1;Database=nowhere;Username=dsde;Password=secret"
        );

        ShouldBeRefused(ended, "nowhere on 127.0.0.1:1 can't be reached");
        ended.Error.ShouldNotContain("secret");
    }

    private static string Line(string id, string field) =>
        $$$"""{"custom_id":"{{{id}}}","method":"POST","url":"/v1/completions","body":{"model":"x","prompt":"a",{{{field}}}}}""";

    private Task<DsdeProgram.Ended> RunAsync(string file, params string[] more) =>
        DsdeProgram.RunAsync(["run", file, "--out", _folder.Path, "--no-speedup", .. more]);

    private static void ShouldBeRefused(DsdeProgram.Ended ended, string message)
    {
        ended.ExitCode.ShouldBe(2, ended.Output + ended.Error);
        ended.Error.ShouldContain(message);
        ended.Error.ShouldNotContain("   at ");
    }
}
