using Dsde.Testing;
using Dsde.Worker.Cli;

namespace Dsde.Worker.Tests.Cli;

public sealed class CommandLineTests : IDisposable
{
    private readonly ScratchFolder _folder = new("cli");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("run")]
    [InlineData("worker")]
    [InlineData("submit")]
    [InlineData("status")]
    [InlineData("results")]
    [InlineData("cancel")]
    [InlineData("errors list")]
    [InlineData("errors requeue")]
    [InlineData("errors drop")]
    [InlineData("db migrate")]
    [InlineData("db status")]
    [InlineData("model inspect")]
    [InlineData("settings")]
    [InlineData("health")]
    [InlineData("bench")]
    [InlineData("bench worker")]
    [InlineData("replay")]
    [InlineData("compare")]
    public async Task Help_of_every_verb_ends_with_an_example_of_it(string verb)
    {
        var ended = await CommandLine.RunAsync([.. verb.Split(' '), "--help"]);

        ended.ExitCode.ShouldBe(ExitCodes.Success);
        ended.Output[ended.Output.LastIndexOf("Example", StringComparison.Ordinal)..].ShouldContain($"dsde {verb}");
    }

    [Theory]
    [InlineData("", "  results <BATCH> [FILE] ", "  status [ID] ", "  submit <FILE> ", "  cancel <ID> ", "  bench [FILE] ")]
    [InlineData("results", "  <BATCH>  Id", "  [FILE]   The")]
    [InlineData("status", "  [ID]  Id")]
    public async Task The_help_tells_arguments_that_may_be_left_out_from_those_that_may_not(string verb, params string[] expected)
    {
        var ended = await CommandLine.RunAsync([.. verb.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);

        ended.ExitCode.ShouldBe(ExitCodes.Success);
        foreach (var part in expected)
        {
            ended.Output.ShouldContain(part);
        }
    }

    [Fact]
    public async Task Examples_in_the_help_are_understood()
    {
        // An unknown option would be named; a job file that is not there shows that all the rest was right.
        var ended = await CommandLine.RunAsync("run", "jobs.jsonl", "--policy", "static:4", "--batch-size", "16", "--out", _folder.Path);

        ended.Error.ShouldContain("Job file jobs.jsonl is missing");
    }

    [Fact]
    public async Task A_folder_in_place_of_a_job_file_is_called_one()
    {
        var ended = await CommandLine.RunAsync("run", _folder.Path);

        ended.ExitCode.ShouldBe(2);
        ended.Error.ShouldContain($"Job file {_folder.Path} is a folder. Give a file");
    }

    [Theory]
    [InlineData("cancel nonsense", "'nonsense' is nothing that cancel takes; give an id like ")]
    [InlineData("results nonsense", "'nonsense' is nothing that results takes; give an id like ")]
    [InlineData("submit jobs.jsonl --batch-id --wait", "--batch-id is '--wait'; give an id like ")]
    [InlineData("submit jobs.jsonl --limit many", "--limit is 'many'; give a whole number.")]
    [InlineData("submit jobs.jsonl --seed 1.5", "--seed is '1.5'; give a whole number.")]
    public async Task A_value_of_the_wrong_kind_is_answered_with_the_value_and_what_is_allowed(string line, string answer)
    {
        var ended = await CommandLine.RunAsync(line.Split(' '));

        ended.ExitCode.ShouldBe(ExitCodes.SetupError);
        ended.Error.ShouldContain(answer);
        ended.Error.ShouldNotContain("System.");
    }

    [Theory]
    [InlineData("rum", "run")]
    [InlineData("run jobs.jsonl --polcy static:4", "--policy")]
    [InlineData("run --polcy static:4", "--policy")]
    [InlineData("submit --batchid 1", "--batch-id")]
    public async Task A_misspelt_word_is_answered_with_the_right_one(string line, string suggestion)
    {
        var ended = await CommandLine.RunAsync(line.Split(' '));

        ended.ExitCode.ShouldBe(ExitCodes.SetupError);
        ended.All.ShouldContain(suggestion);
        ended.All.ShouldNotContain("Usage:");
    }

    [Fact]
    public async Task Without_a_verb_the_verbs_are_shown()
    {
        var ended = await CommandLine.RunAsync();

        ended.ExitCode.ShouldBe(ExitCodes.SetupError);
        ended.Output.ShouldContain("run <FILE>");
    }

    [Theory]
    [InlineData("run jobs.jsonl --limit 0", "--limit is 0; give at least 1.")]
    [InlineData("submit jobs.jsonl --limit -3", "--limit is -3; give at least 1.")]
    [InlineData("run jobs.jsonl --batch-size many", "--batch-size is 'many'; give a whole number.")]
    [InlineData("run jobs.jsonl --limit 1.5", "--limit is '1.5'; give a whole number.")]
    [InlineData("run jobs.jsonl --seed 99999999999999999999", "--seed is '99999999999999999999'; give a whole number.")]
    [InlineData("bench jobs.jsonl --round-seconds soon", "--round-seconds is soon; give a number from 0 to ")]
    [InlineData("submit jobs.jsonl --batch-id B", "--batch-id is 'B'; give an id like ")]
    [InlineData("submit jobs.jsonl --patience x", "--patience is 'x'; give a whole number.")]
    [InlineData("status seven", "ID is 'seven'; give the id of a batch or a job, or none.")]
    [InlineData("results seven", "'seven' is nothing that results takes; give an id like ")]
    [InlineData("cancel seven", "'seven' is nothing that cancel takes; give an id like ")]
    [InlineData("errors requeue --job 5", "--job is '5'; give an id like ")]
    [InlineData("db migrate --provider oracle", "oracle")]
    [InlineData("errors list --queue jobs", "jobs")]
    [InlineData("errors list --limit 0", "--limit is 0; give at least 1.")]
    [InlineData("errors requeue", "Neither --job nor --all is given; give one of them.")]
    [InlineData("errors drop --all --job 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11", "--all and --job are both given; give one of them.")]
    public async Task A_wrong_value_is_named(string line, string message)
    {
        var ended = await CommandLine.RunAsync(line.Split(' '));

        ended.ExitCode.ShouldBe(ExitCodes.SetupError);
        ended.Error.ShouldContain(message);
        ended.Error.ShouldNotContain("System.");
    }

    [Theory]
    [InlineData("--dtype", "fp8", "auto, bf16, fp16 or fp32")]
    [InlineData("--device", "tpu", "auto, cpu, cuda, cuda:N, or several")]
    [InlineData("--batch-size", "0", "give a whole number from 1 to 1024.")]
    [InlineData("--threads", "-1", "give a whole number from 0 to 1024.")]
    public async Task An_engine_option_out_of_range_is_refused_with_what_is_allowed(string option, string value, string allowed)
    {
        var ended = await CommandLine.RunAsync("run", Write("jobs.jsonl", "{}"), option, value);

        ended.ExitCode.ShouldBe(ExitCodes.SetupError);
        ended.Error.ShouldContain($"{option} is '{value}'; ");
        ended.Error.ShouldContain(allowed);
    }

    [Theory]
    [InlineData("results.jsonl")]
    [InlineData("errors.jsonl")]
    public async Task A_job_file_is_not_replaced_by_its_results(string name)
    {
        var path = Write(name, "{}");

        var ended = await CommandLine.RunAsync("run", path, "--out", _folder.Path);

        ended.ExitCode.ShouldBe(ExitCodes.SetupError);
        ended.Error.ShouldContain("would be replaced");
        File.ReadAllText(path).ShouldBe("{}");
    }

    private string Write(string name, string content)
    {
        var path = _folder.PathOf(name);
        File.WriteAllText(path, content);
        return path;
    }
}
