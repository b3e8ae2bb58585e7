using System.Text.Json;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>Jobs whose proposals come from their own text, through a worker and in one process, with and without a draft model.</summary>
public sealed class LookupTests(LookupTests.ReadyWorker shared) : IClassFixture<LookupTests.ReadyWorker>
{
    public sealed class ReadyWorker(RabbitMqServer rabbitMq, PostgresServer postgres) : SharedWorker(rabbitMq, postgres);

    [Fact]
    public async Task Texts_are_the_same_by_whomever_they_are_proposed_and_telemetry_tells_by_whom()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("jobs.jsonl", [.. Enumerable.Range(0, 12).Select(i => Line(i, "both"))]);
        var alone = folder.Write("alone.jsonl", [.. Enumerable.Range(0, 12).Select(i => Line(i, "lookup"))]);
        var wrong = folder.Write("wrong.jsonl", [Line(0, "guess"), Line(1, "draft")]);

        var queued = await DsdeProgram.RunAsync(shared.Worker.Environment, "submit", file, "--wait", "--out", folder.PathOf("queued"));
        var lookup = await RunAsync(alone, "lookup", "--draft", "none", "--proposer", "lookup");
        var plain = await RunAsync(alone, "plain", "--policy", "autoregressive");
        var refused = await RunAsync(wrong, "refused", "--draft", "none", "--proposer", "lookup");
        var report = await DsdeProgram.RunAsync(
            "report",
            "--database",
            folder.PathOf("lookup/dsde.db"),
            "--out",
            folder.PathOf("report.html")
        );
        var replay = await DsdeProgram.RunAsync("replay", "--database", folder.PathOf("lookup/dsde.db"));

        (queued.ExitCode, lookup.ExitCode, plain.ExitCode).ShouldBe((0, 0, 0), queued.Error + lookup.Error + plain.Error);
        var texts = Texts(folder.PathOf("plain"));
        Texts(folder.PathOf("queued")).ShouldBe(texts, ignoreOrder: true);
        Texts(folder.PathOf("lookup")).ShouldBe(texts, ignoreOrder: true);
        foreach (var (results, proposer) in (ReadOnlySpan<(string, string)>)[("queued", "both"), ("lookup", "lookup")])
        {
            var summaries = Summaries(folder.PathOf(results));
            summaries.ShouldAllBe(summary => summary.GetProperty("proposer").GetString() == proposer);
            summaries.Sum(summary => summary.GetProperty("lookup_proposed").GetInt32()).ShouldBeGreaterThan(0);
        }

        Summaries(folder.PathOf("lookup"))
            .ShouldAllBe(summary =>
                summary.GetProperty("mean_kld").ValueKind == JsonValueKind.Null
                && summary.GetProperty("lookup_proposed").GetInt32() == summary.GetProperty("proposed").GetInt32()
            );
        refused.ExitCode.ShouldBe(1);
        var errors = await File.ReadAllTextAsync(
            Path.Combine(folder.PathOf("refused"), "errors.jsonl"),
            TestContext.Current.CancellationToken
        );
        errors.ShouldContain("is 'guess'; give draft, lookup or both");
        errors.ShouldContain("proposer is draft, policy is static:4, and there is no draft model here; use proposer lookup");
        errors.ShouldContain("\"param\":\"body.proposer\"");
        report.ExitCode.ShouldBe(0, report.Error);
        (replay.Output + replay.Error).ShouldContain("outputs have proposals of lookup");

        Task<DsdeProgram.Ended> RunAsync(string jobs, string results, params string[] more) =>
            DsdeProgram.RunAsync(["run", jobs, "--dtype", "fp32", "--out", folder.PathOf(results), .. more]);
    }

    /// <summary>A fixed length, so that proposals do not depend on the clock, and a prompt that repeats itself.</summary>
    private static string Line(int number, string proposer) =>
        $"{{\"custom_id\":\"{number}\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{{\"model\":\"dsde-demo\","
        + "\"prompt\":\"Story: Once "
        + $"there was a shy fox. Story: Once there was a shy fox. Story: Once\",\"max_tokens\":60,\"temperature\":{number % 2},"
        + $"\"seed\":{number},\"policy\":\"static:4\",\"proposer\":\"{proposer}\"}}}}";

    private static Dictionary<string, string> Texts(string folder) =>
        ResultLine
            .Read(Path.Combine(folder, "results.jsonl"))
            .ToDictionary(
                result => result.CustomId,
                result => Body(result.Line).GetProperty("choices")[0].GetProperty("text").GetString()!
            );

    private static List<JsonElement> Summaries(string folder) =>
        [.. ResultLine.Read(Path.Combine(folder, "results.jsonl")).Select(result => Body(result.Line).GetProperty("dsde"))];

    private static JsonElement Body(JsonElement line) => line.GetProperty("response").GetProperty("body");
}
