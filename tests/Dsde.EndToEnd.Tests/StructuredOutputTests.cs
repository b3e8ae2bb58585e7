using System.Text.Json;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>Jobs that ask for JSON, over a real RabbitMQ and a real PostgreSQL, with models that were never taught to write it.</summary>
public sealed class StructuredOutputTests(StructuredOutputTests.ReadyWorker shared) : IClassFixture<StructuredOutputTests.ReadyWorker>
{
    private const string Schema =
        """{"type":"object","properties":{"label":{"enum":["good","bad"]},"count":{"type":"integer","minimum":1,"maximum":99}"""
        + ""","note":{"type":["string","null"],"maxLength":12}},"required":["label","count","note"]}""";

    private static readonly string Format =
        "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"strict\":true,\"schema\":" + Schema.Trim() + "}}";

    public sealed class ReadyWorker(RabbitMqServer rabbitMq, PostgresServer postgres) : SharedWorker(rabbitMq, postgres)
    {
        internal Task<RawProducer> OpenProducerAsync() => RawProducer.OpenAsync(_port, Worker.VirtualHost);

        private readonly int _port = rabbitMq.Port;
    }

    [Fact]
    public async Task A_job_file_with_response_formats_gives_what_they_say_and_the_same_without_speculation()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write(
            "jobs.jsonl",
            [
                .. Enumerable.Range(0, 12).Select(i => Line($"schema {i}", i % 3 == 0, $"\"temperature\":{i % 2},\"seed\":{i},{Format}")),
                Line("object", true, "\"seed\":1,\"response_format\":{\"type\":\"json_object\"}"),
                Line("guided", false, $"\"guided_json\":{Schema.Trim()},\"n\":3,\"seed\":7"),
                Line("choice", true, "\"seed\":2,\"guided_choice\":[\"yes\",\"no\"]"),
                Line("regex", false, "\"seed\":3,\"guided_regex\":\"[a-f]{4}-[0-9]{2}\""),
                Line("refused", false, "\"guided_json\":{\"type\":\"object\",\"properties\":{\"a\":{\"if\":{}}}}"),
            ]
        );

        var queued = await DsdeProgram.RunAsync(shared.Worker.Environment, "submit", file, "--wait", "--out", folder.PathOf("queued"));
        var plain = await DsdeProgram.RunAsync(
            "run",
            file,
            "--dtype",
            "fp32",
            "--out",
            folder.PathOf("plain"),
            "--policy",
            "autoregressive"
        );

        (queued.ExitCode, plain.ExitCode).ShouldBe((1, 1), queued.Error + plain.Error); // one job is refused
        var texts = Choices(folder.PathOf("queued"));
        texts.ShouldBe(Choices(folder.PathOf("plain")), ignoreOrder: true);
        texts.Count.ShouldBe(12 + 1 + 3 + 2);
        foreach (var ((id, _), (text, reason)) in texts)
        {
            reason.ShouldBe(id == "object" ? reason : "stop", id);
            ShouldBeRight(id, text, reason);
        }

        // Forced or not, tokens are the models' own in the texts; telemetry says how many no model was needed for.
        var forced = Forced(folder.PathOf("queued"));
        forced.ShouldBeGreaterThan(0);
        Forced(folder.PathOf("plain")).ShouldBeGreaterThan(0, "That takes no draft.");
        (
            await Rows.CountAsync(
                shared.Worker.ConnectionString,
                "SELECT sum(t.forced) FROM job_traces t JOIN generation_jobs j USING (job_id) WHERE j.custom_id IS NOT NULL"
            )
        ).ShouldBe(forced);
        (
            await Rows.CountAsync(
                shared.Worker.ConnectionString,
                "SELECT count(*) FROM job_traces WHERE forced > (SELECT sum(f) FROM unnest(iteration_forced) f)"
            )
        ).ShouldBe(0);

        foreach (var results in (string[])["queued", "plain"])
        {
            File.ReadAllText(Path.Combine(folder.PathOf(results), "errors.jsonl"))
                .ShouldContain("guided_json can't be used: #/properties/a/if is not supported");
        }
    }

    [Fact]
    public async Task A_message_of_any_producer_may_ask_for_the_same_and_is_refused_in_the_same_words()
    {
        await using var tap = await shared.OpenTapAsync();
        await using var producer = await shared.OpenProducerAsync();
        var (good, bad) = (Guid.NewGuid(), Guid.NewGuid());

        await producer.SendAsync(RawProducer.Jobs, Message(good, Schema.Trim()));
        await producer.SendAsync(RawProducer.Jobs, Message(bad, "{\"type\":\"object\",\"properties\":{\"a\":{\"if\":{}}}}"));
        await tap.WaitForAsync(2);

        var events = tap.Events.ToDictionary(item => item.Message.GetProperty("jobId").GetGuid());
        ShouldBeRight("message", events[good].Message.GetProperty("text").GetString()!, "stop");
        events[bad].Type.ShouldBe("GenerationJobFailed");
        events[bad].Message.ToString().ShouldContain("responseFormat can't be used: #/properties/a/if is not supported");

        static string Message(Guid id, string schema) =>
            $"{{\"jobId\":\"{id}\",\"model\":\"dsde-demo\",\"prompt\":\"Story: Once\",\"maxTokens\":200,\"seed\":3,"
            + $"\"responseFormat\":{{\"type\":\"json_schema\",\"json_schema\":{{\"schema\":{schema}}}}}}}";
    }

    private static void ShouldBeRight(string id, string text, string reason)
    {
        switch (id)
        {
            case "choice":
                text.ShouldBeOneOf("yes", "no");
                break;
            case "regex":
                text.ShouldMatch("^[a-f]{4}-[0-9]{2}$");
                break;
            case "object":
                text.ShouldStartWith("{");
                if (reason == "stop")
                {
                    using var any = JsonDocument.Parse(text);
                }

                break;
            default:
                using (var document = JsonDocument.Parse(text))
                {
                    var root = document.RootElement;
                    root.EnumerateObject().Select(property => property.Name).ShouldBe(["label", "count", "note"]);
                    root.GetProperty("label").GetString().ShouldBeOneOf("good", "bad");
                    root.GetProperty("count").GetInt32().ShouldBeInRange(1, 99);
                    root.GetProperty("note").ValueKind.ShouldBeOneOf(JsonValueKind.String, JsonValueKind.Null);
                }

                break;
        }
    }

    private static Dictionary<(string Id, int Index), (string Text, string Reason)> Choices(string folder) =>
        ResultLine
            .Read(Path.Combine(folder, "results.jsonl"))
            .SelectMany(result =>
                result
                    .Line.GetProperty("response")
                    .GetProperty("body")
                    .GetProperty("choices")
                    .EnumerateArray()
                    .Select(
                        (choice, index) =>
                            (
                                (result.CustomId, index),
                                (
                                    (
                                        choice.TryGetProperty("message", out var message)
                                            ? message.GetProperty("content")
                                            : choice.GetProperty("text")
                                    ).GetString()!,
                                    choice.GetProperty("finish_reason").GetString()!
                                )
                            )
                    )
            )
            .ToDictionary(entry => entry.Item1, entry => entry.Item2);

    private static int Forced(string folder) =>
        ResultLine
            .Read(Path.Combine(folder, "results.jsonl"))
            .Sum(result => result.Line.GetProperty("response").GetProperty("body").GetProperty("dsde").GetProperty("forced").GetInt32());

    private static string Line(string id, bool isChat, string fields)
    {
        var (url, prompt) = isChat
            ? ("/v1/chat/completions", "\"messages\":[{\"role\":\"user\",\"content\":\"Which day comes after Monday?\"}]")
            : ("/v1/completions", "\"prompt\":\"Story: Once there was\"");
        return $"{{\"custom_id\":\"{id}\",\"method\":\"POST\",\"url\":\"{url}\",\"body\":{{\"model\":\"dsde-demo\","
            + $"{prompt},\"max_tokens\":200,{fields}}}}}";
    }
}
