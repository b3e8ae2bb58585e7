using System.Text.Json;
using Dsde.Testing;
using Dsde.Worker.Cli;
using Dsde.Worker.Cli.Analysis;

namespace Dsde.Worker.Tests.Cli;

/// <summary><c>dsde replay</c> and <c>dsde compare</c>: what they say of what they are given.</summary>
public sealed class AnalysisCommandTests : IDisposable
{
    private const string Bits = """{"id": "a", "accepted": [1, 1, 1, 0, 1, 1, 1, 1, 1, 1]}""";
    private const string Costs = """
        {"target":[{"rows":1,"ms":3},{"rows":9,"ms":3}],"draft":[{"rows":1,"ms":1}],
         "plainRest":[{"rows":1,"ms":0}],"speculatingRest":[{"rows":1,"ms":0}]}
        """;

    private readonly ScratchFolder _folder = new("analysis");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_imported_trace_is_replayed_under_every_policy_that_needs_no_prices()
    {
        var file = _folder.Write("traces.jsonl", Bits);

        var ended = await CommandLine.RunAsync("replay", "--import", file);

        ended.ExitCode.ShouldBe(ExitCodes.Success, ended.All);
        ended.Output.ShouldMatch(@"(?m)^1 imported request$");
        ended.Output.ShouldMatch(@"(?m)^  static:2 +- +- +3 +6 +6 +100.0 % +2.00 +3.00 +1/1 *$");
        ended.Output.ShouldMatch(@"(?m)^  oracle ");
        ended.Output.ShouldNotContain("goodput");
    }

    [Fact]
    public async Task With_prices_there_are_times_and_the_guarded_policies_and_json_has_the_same_numbers()
    {
        var file = _folder.Write("traces.jsonl", Bits);
        var costs = _folder.Write("costs.json", Costs);

        var ended = await CommandLine.RunAsync("replay", "--import", file, "--costs", costs, "--format", "json");

        ended.ExitCode.ShouldBe(ExitCodes.Success, ended.All);
        var results = JsonDocument.Parse(ended.Output).RootElement.GetProperty("results").EnumerateArray().ToList();
        var pair = results.Single(result => result.GetProperty("policy").GetString() == "static:2").GetProperty("counts");
        pair.GetProperty("milliseconds").GetDouble().ShouldBe(3 * (3 + 2)); // three passes of the target, two draft steps for each
        pair.GetProperty("tokensPerSecond").GetDouble().ShouldBe(1000 * 10 / 15.0, 1e-9);
        results.ShouldContain(result => result.GetProperty("policy").GetString() == "dsde");
    }

    [Theory]
    [InlineData("replay --import none.jsonl", "none.jsonl")]
    [InlineData("replay --database none.db", "There is no database file none.db")]
    [InlineData("replay --policies static:0", "--policies has 'static:0'")]
    [InlineData("replay --policy nonsense", "Policy 'nonsense' is not known")]
    [InlineData("replay --batch-size 0", "--batch-size is 0; give at least 1.")]
    [InlineData("replay --from yesterdayish", "--from is 'yesterdayish'; give a time")]
    [InlineData("compare dsde", "SECOND")]
    [InlineData("compare dsde size=3", "'size' is not known")]
    [InlineData("compare dsde batch=3", "batch is '3'; give an id")]
    [InlineData("compare dsde database=none.db", "There is no database file none.db")]
    public async Task What_can_not_be_is_said_in_words(string arguments, string expected)
    {
        var ended = await CommandLine.RunAsync(arguments.Split(' '));

        ended.ExitCode.ShouldBe(ExitCodes.SetupError, ended.All);
        ended.Error.ShouldContain(expected);
        ended.Error.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task Costs_that_are_none_are_refused_with_their_form()
    {
        var (file, costs) = (_folder.Write("traces.jsonl", Bits), _folder.Write("costs.json", """{"target":[]}"""));

        var ended = await CommandLine.RunAsync("replay", "--import", file, "--costs", costs);

        ended.ExitCode.ShouldBe(ExitCodes.SetupError);
        ended.Error.ShouldContain("Give {\"target\": [{\"rows\": 1, \"ms\": 2.5}");
    }

    [Fact]
    public async Task An_empty_database_has_nothing_to_replay_or_compare()
    {
        var file = _folder.PathOf("empty.db");
        await CommandLine.RunAsync("db", "migrate", "--provider", "sqlite", "--connection", ConnectionStrings.ForFile(file));

        var replayed = await CommandLine.RunAsync("replay", "--database", file);
        var compared = await CommandLine.RunAsync("compare", "dsde", "static:4", "--database", file);

        replayed.ExitCode.ShouldBe(ExitCodes.SetupError);
        replayed.Error.ShouldContain("No output of a completed job is like that");
        compared.ExitCode.ShouldBe(ExitCodes.SetupError);
        compared.Error.ShouldContain("No output of a completed job is like 'dsde'");
    }

    [Fact]
    public void A_side_of_a_comparison_may_be_put_in_several_ways_and_never_repeats_a_password()
    {
        var id = Guid.NewGuid();
        ComparedSelection.Parse(id.ToString()).Filter.BatchId.ShouldBe(id);
        ComparedSelection.Parse("static:4").Filter.Policy.ShouldBe("static:4");
        var several = ComparedSelection.Parse($"batch={id},workload=code,model=m,from=2026-01-02,policy=adaedl:7");
        several.Filter.ShouldBe(
            new()
            {
                BatchId = id,
                Workload = "code",
                TargetModel = "m",
                Policy = "adaedl",
                From = new DateTimeOffset(2026, 1, 2, 0, 0, 0, TimeSpan.Zero),
            }
        );
        var other = ComparedSelection.Parse("policy=dsde,connection=Host=h;Password=p,q=r");
        other.Database.ShouldNotBeNull().ConnectionString.ShouldBe("Host=h;Password=p,q=r");
        other.Filter.Policy.ShouldBe("dsde");
        other.Text.ShouldBe("policy=dsde,connection=…");
    }
}
