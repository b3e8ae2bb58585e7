using System.Text;
using System.Text.Json;
using Dsde.Contracts;
using Dsde.EndToEnd.Tests.Tracing;
using Dsde.Testing;
using Dsde.Worker.Cli;
using RabbitMQ.Client;

namespace Dsde.EndToEnd.Tests;

/// <summary>
/// What jobs say stays in their rows and events, and out of those if wanted: logs at every level, health, metrics, spans.
/// </summary>
public sealed class PrivacyTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Question = "Q: Which day comes after Monday?\\nA:";

    private static readonly string[] Markers = ["zanzibarquill", "ZANZIBARQUILL"];

    private static readonly (string, string)[] EverythingLogged =
    [
        ("Logging__LogLevel__Default", "Trace"),
        ("Logging__LogLevel__Microsoft", "Trace"),
        ("Logging__LogLevel__MassTransit", "Trace"),
        ("Logging__LogLevel__Npgsql", "Trace"),
        ("Logging__LogLevel__Microsoft.EntityFrameworkCore.Database.Command", "Trace"),
        ("Logging__LogLevel__MassTransit.ReceiveTransport", "Trace"),
    ];

    [Fact]
    public async Task Logs_at_trace_level_health_metrics_and_exported_spans_have_nothing_of_what_jobs_say()
    {
        using var collector = new OtlpCollector();
        await using var worker = await WorkerUnderTest.StartAsync(
            rabbitMq,
            postgres,
            settings:
            [
                .. EverythingLogged,
                .. collector.Settings,
                ("Dsde__Worker__CheckpointTokens", "16"),
                ("Dsde__Worker__StatusPage", "true"),
            ]
        );
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        var (good, invalid, chat, unlisted) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        var properties = new BasicProperties
        {
            CorrelationId = "zanzibarquill-6",
            Headers = new Dictionary<string, object?>
            {
                ["traceparent"] = $"00-{Trace}-00f067aa0ba902b7-01",
                ["x-zanzibarquill"] = "zanzibarquill",
            },
        };

        await tap.PublishToAsync(
            "dsde-generation-jobs",
            Job(good, $"zanzibarquill {Question}", "\"maxTokens\":60,\"temperature\":0"),
            properties
        );
        await tap.PublishAsync(Job(invalid, "zanzibarquill", "\"temperature\":9"));
        await tap.PublishAsync(
            $$"""{"jobId":"{{chat}}","model":"dsde-demo","messages":[{"role":"zanzibarquill","content":"zanzibarquill"}]}"""
        );
        await tap.PublishAsync(
            Job(unlisted, "zanzibarquill", "\"maxTokens\":4").Replace("dsde-demo", "/etc/zanzibarquill/../models", StringComparison.Ordinal)
        );
        await tap.PublishAsync("{\"zanzibarquill\": zanzibarquill");
        await tap.PublishToAsync("Dsde.Contracts:CancelGenerationJob", "{\"zanzibarquill\": zanzibarquill");
        await tap.TakeAsync("dsde-generation-jobs_error");
        var told = await tap.WaitForJobAsync(good);
        await tap.PublishAsync(Job(good, "zanzibarquill, something else", "\"maxTokens\":60,\"temperature\":0"));
        await tap.WaitForAsync(5);
        var text = told.Message.GetProperty("text").GetString().ShouldNotBeNull();
        var (publicText, status, row) = (
            await ReadPublicTextAsync(worker),
            await worker.ReadStatusAsync(),
            (await Rows.ReadAsync(worker.ConnectionString, $"SELECT trace_parent FROM generation_jobs WHERE job_id = '{good}'"))[0][0]
        );
        var (exitCode, log) = await worker.StopAsync(TimeSpan.FromSeconds(60));

        exitCode.ShouldBe(0);
        told.Type.ShouldBe("GenerationJobCompleted");
        text.Length.ShouldBeGreaterThan(20);
        // the second was a conflict
        tap.Events.Where(item => item.JobId == good).Select(item => item.Type).ShouldBe(["GenerationJobCompleted", "GenerationJobFailed"]);
        // names of models are aliases, never paths
        (await tap.WaitForJobAsync(unlisted))
            .Message.GetProperty("code")
            .GetString()
            .ShouldBe("model_not_found");
        log.ShouldContain("trce: ");
        log.ShouldContain("Executed DbCommand");
        ShouldSayNothing(log, text);
        ShouldSayNothing(publicText, text);
        status.ShouldContain($"{good}"); // by its id it is there
        ShouldSayNothing(status, text);
        publicText.ShouldNotContain($"{good}");
        publicText.ShouldContain("dsde_jobs_total");

        var (spans, metrics) = (collector.TextOf("/v1/traces"), collector.TextOf("/v1/metrics"));
        ShouldSayNothing(spans, text);
        ShouldSayNothing(metrics, text);
        metrics.ShouldNotContain($"{good}");
        metrics.ShouldContain("dsde.jobs");
        foreach (
            var name in (string[])
                [
                    "dsde-worker",
                    "process dsde-generation-jobs",
                    "claim",
                    "text_completion dsde-demo",
                    "wait",
                    "prefill",
                    "decode",
                    "store",
                    "publish Dsde.Contracts:GenerationJobCompleted",
                    "gen_ai.usage.output_tokens",
                    "db.query.text",
                    $"{good}",
                ]
        )
        {
            spans.ShouldContain(name);
        }

        var traceId = Encoding.Latin1.GetString(Convert.FromHexString(Trace));
        (spans.Split(traceId).Length - 1).ShouldBeGreaterThanOrEqualTo(5);
        told.Header("traceparent").ShouldNotBeNull().ShouldStartWith($"00-{Trace}-");
        told.Header("traceparent").ShouldNotBe($"00-{Trace}-00f067aa0ba902b7-01");
        row.ShouldBeOfType<string>().ShouldStartWith($"00-{Trace}-");
        // the event goes on from a span that was exported
        spans.ShouldContain(Encoding.Latin1.GetString(Convert.FromHexString(told.Header("traceparent")!.Split('-')[2])));
    }

    [Fact]
    public async Task Neither_prompts_nor_outputs_stay_in_the_database_if_they_are_not_to()
    {
        await using var worker = await WorkerUnderTest.StartAsync(
            rabbitMq,
            postgres,
            settings:
            [
                ("Dsde__Worker__StorePrompts", "false"),
                ("Dsde__Worker__StoreOutputs", "false"),
                ("Dsde__Worker__CheckpointTokens", "16"),
                ("Dsde__Worker__MaxEventBytes", "1024"),
            ]
        );
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        var (one, several, failed) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());

        await tap.PublishAsync(
            Unlabelled(
                one,
                $"zanzibarquill {Question}",
                "\"maxTokens\":600,\"ignoreEos\":true,\"returnTokenIds\":true,\"returnLogProbabilities\":true"
            )
        );
        await tap.PublishAsync(Unlabelled(several, $"zanzibarquill {Question}", "\"maxTokens\":60,\"ignoreEos\":true,\"choiceCount\":3"));
        await tap.PublishAsync(Unlabelled(failed, "zanzibarquill", "\"temperature\":9"));
        var texts = new List<string>();
        foreach (var id in (Guid[])[one, several])
        {
            texts.Add((await tap.WaitForJobAsync(id)).Message.GetProperty("text").GetString().ShouldNotBeNull());
        }

        await tap.WaitForJobAsync(failed);
        var (exitCode, _) = await worker.StopAsync(TimeSpan.FromSeconds(60)); // what was announced is erased and acknowledged
        var dump = await DumpAsync(worker.ConnectionString);

        exitCode.ShouldBe(0);
        Encoding.UTF8.GetByteCount(texts[0]).ShouldBeGreaterThan(1024); // the event has the text however long, since nothing else does
        (
            await Rows.CountAsync(
                worker.ConnectionString,
                "SELECT count(*) FROM generation_jobs WHERE state IN ('completed', 'failed') AND request_hash IS NOT NULL"
            )
        ).ShouldBe(3);
        dump.ShouldContain($"{one}");
        ShouldSayNothing(dump, [.. texts.Select(text => text[..Math.Min(40, text.Length)])]);
        dump.ShouldNotContain("Which day comes after");
        (await Rows.CountAsync(worker.ConnectionString, "SELECT count(*) FROM job_checkpoints")).ShouldBe(0);
        (
            await Rows.CountAsync(
                worker.ConnectionString,
                "SELECT count(*) FROM generation_jobs WHERE token_ids IS NOT NULL OR token_log_probabilities IS NOT NULL "
                    + "OR token_bytes IS NOT NULL"
            )
        ).ShouldBe(0);
    }

    /// <summary>Every column of every table, as text; binary ones by their bytes.</summary>
    private static async Task<string> DumpAsync(string connectionString)
    {
        var dump = new StringBuilder();
        foreach (
            var column in await Rows.ReadAsync(
                connectionString,
                "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns c JOIN "
                    + "information_schema.tables t USING (table_schema, table_name) "
                    + "WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            )
        )
        {
            var value = "bytea".Equals(column[2]) ? $"encode(\"{column[1]}\", 'escape')" : $"\"{column[1]}\"::text";
            foreach (var row in await Rows.ReadAsync(connectionString, $"SELECT {value} FROM \"{column[0]}\""))
            {
                dump.AppendLine(row[0] as string);
            }
        }

        return dump.ToString();
    }

    private static async Task<string> ReadPublicTextAsync(WorkerUnderTest worker)
    {
        var port = worker.Environment.Last(setting => setting.Name == "Dsde__Worker__HealthPort").Value;
        using var client = new HttpClient();
        var text = new StringBuilder();
        foreach (var path in (string[])["health/live", "health/ready", "metrics"])
        {
            text.AppendLine(await client.GetStringAsync($"http://127.0.0.1:{port}/{path}", TestContext.Current.CancellationToken));
        }

        return text.ToString();
    }

    private static void ShouldSayNothing(string where, params string[] outputs)
    {
        foreach (var secret in Markers.Concat(outputs))
        {
            var at = where.IndexOf(secret, StringComparison.Ordinal);
            at.ShouldBe(-1, at < 0 ? "" : where[Math.Max(0, at - 400)..Math.Min(where.Length, at + 200)]);
            var escaped = JsonSerializer.Serialize(secret)[1..^1];
            where.Contains(escaped, StringComparison.Ordinal).ShouldBeFalse();
        }
    }

    private static string Job(Guid jobId, string prompt, string more) =>
        Unlabelled(
            jobId,
            prompt,
            $$"""{{more}},"customId":"zanzibarquill-1","stop":["zanzibarquill"]"""
                + $$""","metadata":{"zanzibarquill-2":"zanzibarquill-3","workload":"ZANZIBARQUILL-4"}"""
        );

    private static string Unlabelled(Guid jobId, string prompt, string more) =>
        $$"""{"jobId":"{{jobId}}","model":"dsde-demo","prompt":"{{prompt}}",{{more}}}""";
}
