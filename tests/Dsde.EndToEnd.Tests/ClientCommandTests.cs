using System.Text.Json;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>What submit, results and cancel say of files that have changed and of ids that nobody knows.</summary>
public sealed class ClientCommandTests(ClientCommandTests.ReadyWorker shared) : IClassFixture<ClientCommandTests.ReadyWorker>
{
    public sealed class ReadyWorker(RabbitMqServer rabbitMq, PostgresServer postgres) : SharedWorker(rabbitMq, postgres);

    [Fact]
    public async Task A_changed_line_is_a_conflict_and_lines_are_never_given_their_neighbours_outputs()
    {
        using var folder = new ScratchFolder();
        var batchId = $"{Guid.NewGuid()}";
        string[] lines = [Line("a", "Story: One"), Line("b", "Story: Two"), Line("c", "Story: Three")];
        var file = folder.Write("jobs.jsonl", lines);
        (await RunAsync("submit", file, "--batch-id", batchId, "--wait", "--out", folder.Path)).ExitCode.ShouldBe(0);
        var texts = Read(folder);

        folder.Write("jobs.jsonl", Line("a", "Story: Another"), lines[1], lines[2]);
        var changed = await RunAsync("submit", file, "--batch-id", batchId, "--wait", "--out", folder.Path);

        changed.ExitCode.ShouldBe(1, changed.Error);
        changed.Output.ShouldContain("line 1, custom_id 'a' (job_id_conflict)");
        Read(folder).Keys.ShouldBe(["b", "c"]);
        File.ReadAllText(Path.Combine(folder.Path, "errors.jsonl")).ShouldContain("job_id_conflict");

        folder.Write("jobs.jsonl", lines[2], lines[1]);
        var lacking = await RunAsync("results", batchId, file, "--out", folder.Path);
        lacking.ExitCode.ShouldBe(0);
        lacking.Output.ShouldContain($"1 job of the batch is not in {file}: 'a'; for the results of all: dsde results {batchId}");
        lacking.Output.ShouldContain("2 results in ");
        lacking.Output.ShouldNotContain("have ended");
        Read(folder).ShouldBe(texts.Where(text => text.Key != "a"), ignoreOrder: true);

        (await RunAsync("results", batchId, "--out", folder.Path)).ExitCode.ShouldBe(0);
        Read(folder).ShouldBe(texts, ignoreOrder: true);
    }

    [Fact]
    public async Task An_unknown_id_is_said_to_be_unknown_and_leaves_no_row_unless_it_is_marked_ahead()
    {
        var id = Guid.NewGuid();
        foreach (var verb in (string[])["cancel", "status", "results"])
        {
            var ended = await RunAsync(verb, $"{id}");
            ended.ExitCode.ShouldBe(2, verb);
            ended.Error.ShouldContain($"{id}");
        }

        (await CountAsync(id)).ShouldBe(0);
        (await RunAsync("cancel", $"{id}", "--ahead")).ExitCode.ShouldBe(0);
        (await CountAsync(id)).ShouldBe(1);
        (await RunAsync("status", $"{id}")).Output.ShouldContain($"job {id}: called off ahead; no worker has seen it yet");
        (await RunAsync("results", $"{id}")).Error.ShouldContain($"{id} is a job, not a batch");
        var batchId = Guid.NewGuid();
        (await RunAsync("cancel", $"{batchId}", "--ahead", "--batch")).ExitCode.ShouldBe(0);
        (await RunAsync("status", $"{batchId}")).Output.ShouldContain($"batch {batchId}: called off ahead");
    }

    [Fact]
    public async Task A_file_without_a_single_job_names_no_results()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("jobs.jsonl", "no line of a job file");

        var ended = await RunAsync("submit", file, "--wait", "--out", folder.Path);

        ended.ExitCode.ShouldBe(1, ended.Error);
        ended.Output.ShouldContain("0 jobs sent, 1 line is no job");
        ended.Output.ShouldContain("no results, so no ");
        ended.Output.ShouldContain("1 line without a result: see ");
        File.Exists(folder.PathOf("errors.jsonl")).ShouldBeTrue();
    }

    [Fact]
    public async Task Without_an_id_status_says_what_is_under_way_who_works_and_what_waits()
    {
        var batchId = Guid.NewGuid();
        await Rows.ReadAsync(
            shared.Worker.ConnectionString,
            $"INSERT INTO generation_batches (batch_id, job_count, source, submitted_at) VALUES ('{batchId}', 70, 'nightly.jsonl', now())"
        );

        var shown = await RunAsync("status");
        shown.ExitCode.ShouldBe(0, shown.Error);
        shown.Output.ShouldContain(shared.Worker.WorkerId);
        shown.Output.ShouldContain($"{batchId}");
        shown.Output.ShouldContain("nightly.jsonl");

        using var json = JsonDocument.Parse((await RunAsync("status", "--json")).Output);
        var worker = json.RootElement.GetProperty("workers")[0];
        worker.GetProperty("workerId").GetString().ShouldBe(shared.Worker.WorkerId);
        worker.GetProperty("models")[0].GetString().ShouldBe("dsde-demo");
        var batch = json.RootElement.GetProperty("batches").EnumerateArray().Single(row => row.GetProperty("batchId").GetGuid() == batchId);
        (batch.GetProperty("jobCount").GetInt32(), batch.GetProperty("completed").GetInt32()).ShouldBe((70, 0));
        var queues = json.RootElement.GetProperty("queues").EnumerateArray().ToDictionary(queue => queue.GetProperty("name").GetString()!);
        queues["dsde-generation-jobs.dsde-demo"].GetProperty("consumers").GetInt32().ShouldBe(1);
        queues["dsde-generation-jobs-held"].GetProperty("messages").GetInt32().ShouldBe(0);
    }

    [Theory]
    [InlineData("Dsde__RabbitMq__Port", "1", "workers", "queues")]
    [InlineData("Dsde__Persistence__ConnectionString", "Host=127.0.0.1;Port=1;Timeout=1", "queues", "workers")]
    public async Task With_a_server_away_status_says_what_the_other_knows_and_which_is_away(
        string setting,
        string value,
        string known,
        string unknown
    )
    {
        var ended = await DsdeProgram.RunAsync([.. shared.Worker.Environment, (setting, value)], "status", "--json");

        ended.ExitCode.ShouldBe(2);
        using var json = JsonDocument.Parse(ended.Output);
        json.RootElement.GetProperty(known).GetArrayLength().ShouldBeGreaterThan(0);
        json.RootElement.GetProperty(unknown).ValueKind.ShouldBe(JsonValueKind.Null);
        json.RootElement.GetProperty("problems")[0].GetString()!.ShouldContain("can't be reached");
    }

    [Fact]
    public async Task With_the_database_away_status_does_not_say_that_there_are_no_workers_or_batches()
    {
        var ended = await DsdeProgram.RunAsync(
            [.. shared.Worker.Environment, ("Dsde__Persistence__ConnectionString", "Host=127.0.0.1;Port=1;Timeout=1")],
            "status"
        );

        ended.ExitCode.ShouldBe(2);
        ended.Output.ShouldContain("dsde-generation-jobs");
        ended.Output.ShouldNotContain("no worker");
        ended.Output.ShouldNotContain("no batch");
    }

    [Theory]
    [InlineData("status")]
    [InlineData("errors", "list")]
    public async Task A_missing_virtual_host_is_told_with_what_it_needs_by_commands_that_only_look(params string[] command)
    {
        var ended = await DsdeProgram.RunAsync([.. shared.Worker.Environment, ("Dsde__RabbitMq__VirtualHost", "nowhere")], command);

        ended.ExitCode.ShouldBe(2);
        ended.Error.ShouldContain("vhost nowhere not found");
        ended.Error.ShouldContain("rabbitmqctl add_vhost nowhere");
        ended.Error.ShouldNotContain("AMQP close-reason");
    }

    private Task<long> CountAsync(Guid id) =>
        Rows.CountAsync(
            shared.Worker.ConnectionString,
            $"SELECT (SELECT count(*) FROM generation_jobs WHERE job_id = '{id}') + (SELECT count(*) FROM generation_batches WHERE "
                + $"batch_id = '{id}')"
        );

    private Task<DsdeProgram.Ended> RunAsync(params string[] arguments) => DsdeProgram.RunAsync(shared.Worker.Environment, arguments);

    private static Dictionary<string, string> Read(ScratchFolder folder) =>
        ResultLine.Read(Path.Combine(folder.Path, "results.jsonl")).ToDictionary(line => line.CustomId, line => line.Text);

    private static string Line(string customId, string prompt) =>
        $$$"""{"custom_id":"{{{customId}}}","url":"/v1/completions","body":{"model":"dsde-demo","prompt":"{{{prompt}}}","max_tokens":8"""
        + $$$""","temperature":0}}""";
}
