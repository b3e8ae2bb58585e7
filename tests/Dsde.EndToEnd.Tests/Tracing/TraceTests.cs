using System.Diagnostics;
using System.Globalization;
using Dsde.Testing;
using RabbitMQ.Client;

namespace Dsde.EndToEnd.Tests.Tracing;

/// <summary>Traces as a collector gets them from real workers, from the producer's span to the event.</summary>
public sealed class TraceTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const string Marker = "zanzibarquill";
    private const string Process = "process dsde-generation-jobs.dsde-demo";
    private const string Generate = "text_completion dsde-demo";
    private const string Publish = "publish Dsde.Contracts:GenerationJobCompleted";
    private const double Slack = 2; // ms, between clocks of spans and of the engine

    private static readonly string[] Phases = ["wait", "prefill", "decode"];

    [Fact]
    public async Task A_job_is_one_trace_from_its_producers_span_through_every_part_of_its_life_to_the_event()
    {
        using var collector = new OtlpCollector();
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres, settings: collector.Settings);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        using var sent = new Activity("send").SetIdFormat(ActivityIdFormat.W3C).Start();
        sent.ActivityTraceFlags = ActivityTraceFlags.Recorded;
        var jobId = Guid.NewGuid();

        await producer.SendByKeyAsync(
            "dsde-demo",
            Job(jobId, "\"maxTokens\":40,\"choiceCount\":2,\"temperature\":0.5,\"seed\":7"),
            new BasicProperties
            {
                Headers = new Dictionary<string, object?> { ["traceparent"] = sent.Id, ["tracestate"] = "vendor=1" },
            }
        );
        var told = await tap.WaitForJobAsync(jobId);
        var (exitCode, log) = await worker.StopAsync(TimeSpan.FromSeconds(60));

        exitCode.ShouldBe(0, log);
        var spans = collector.Spans().Where(span => span.TraceId == $"{sent.TraceId}").ToList();
        spans.ShouldAllBe(span => span.Service == "dsde-worker");
        var process = spans.ShouldHaveSingle(Process, $"{sent.SpanId}");
        var claim = spans.ShouldHaveSingle("claim", process.SpanId);
        var generate = spans.ShouldHaveSingle(Generate, process.SpanId);
        var store = spans.ShouldHaveSingle("store", process.SpanId);
        var publish = spans.ShouldHaveSingle(Publish, process.SpanId);
        var phases = spans.Where(span => span.ParentId == generate.SpanId && span.Scope == "Dsde.Worker").ToList();

        // In the order of a job's life, each within what it is a part of.
        (claim.End <= generate.Start && generate.End <= store.Start && store.End <= publish.Start).ShouldBeTrue();
        phases.GroupBy(phase => phase["dsde.output"]).Select(group => group.Select(phase => phase.Name)).ShouldBe([Phases, Phases]);
        foreach (var span in spans.Where(span => span.SpanId != process.SpanId))
        {
            var parent = spans.Single(other => other.SpanId == span.ParentId);
            (span.Start >= parent.Start - Slack && span.End <= parent.End + Slack).ShouldBeTrue($"{span.Name} in {parent.Name}");
        }

        foreach (var statements in new[] { claim, store })
        {
            spans.ShouldContain(span => span.ParentId == statements.SpanId && span.Scope == "Npgsql", statements.Name);
        }

        spans.Count(span => span.Scope == "Dsde.Worker").ShouldBe(5 + (2 * Phases.Length));
        ShouldFollowConventions(process, generate, publish, told);
        ShouldCount(generate, phases, told);
        ShouldSayNothing(spans, told.Message.GetProperty("text").GetString());
        told.Header("traceparent").ShouldBe($"00-{sent.TraceId}-{publish.SpanId}-01");
        told.Header("tracestate").ShouldBe("vendor=1");
        (await Rows.ReadAsync(worker.ConnectionString, $"SELECT trace_parent FROM generation_jobs WHERE job_id = '{jobId}'"))[0]
            [0]
            .ShouldBe($"00-{sent.TraceId}-{process.SpanId}-01");
    }

    [Fact]
    public async Task The_trace_of_a_job_from_a_file_begins_with_its_sending_and_none_is_shared()
    {
        using var collector = new OtlpCollector();
        using var folder = new ScratchFolder();
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres, settings: collector.Settings);
        const string body = """{"model":"dsde-demo","prompt":"Story:","max_tokens":4}""";
        var file = folder.Write(
            "jobs.jsonl",
            [
                .. Enumerable
                    .Range(0, 3)
                    .Select(job => $$"""{"custom_id":"job-{{job}}","method":"POST","url":"/v1/completions","body":{{body}}}"""),
            ]
        );

        var submitted = await DsdeProgram.RunAsync(worker.Environment, "submit", file, "--wait", "--out", folder.PathOf("out"));
        var (exitCode, log) = await worker.StopAsync(TimeSpan.FromSeconds(60));

        submitted.ExitCode.ShouldBe(0, submitted.Error);
        exitCode.ShouldBe(0, log);
        var spans = collector.Spans();
        var sendings = spans.Where(span => span.Service == "dsde-client").ToList();
        sendings.Count.ShouldBe(3);
        sendings.Select(sending => sending.TraceId).Distinct().Count().ShouldBe(3);
        foreach (var sending in sendings)
        {
            sending.Name.ShouldBe("send dsde-generation-jobs");
            sending.ParentId.ShouldBeNullOrEmpty();
            sending["messaging.operation.type"].ShouldBe("send");
            var process = spans.Where(span => span.TraceId == sending.TraceId).ToList().ShouldHaveSingle(Process, sending.SpanId);
            process["dsde.job_id"].ShouldBe(sending["dsde.job_id"]);
        }
    }

    [Fact]
    public async Task A_job_that_fails_says_so_in_its_trace_by_a_code()
    {
        using var collector = new OtlpCollector();
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres, settings: collector.Settings);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        var jobId = Guid.NewGuid();

        await tap.PublishAsync(Job(jobId, "\"temperature\":9"));
        await tap.WaitForJobAsync(jobId);
        await worker.StopAsync(TimeSpan.FromSeconds(60));

        var process = collector.Spans().Single(span => Equals(span["dsde.job_id"], $"{jobId}"));
        process["dsde.outcome"].ShouldBe("failed");
        process.ParentId.ShouldBe(""); // a trace of its own
        var generate = collector.Spans().ToList().ShouldHaveSingle(Generate, process.SpanId);
        generate.IsError.ShouldBeTrue();
        generate["error.type"].ShouldBe("invalid_request");
        generate.StatusText.ShouldBe("");
    }

    [Fact]
    public async Task A_job_that_changes_its_worker_has_a_delivery_per_worker_the_later_tied_to_the_first()
    {
        using var collector = new OtlpCollector();
        await using var first = await WorkerUnderTest.StartAsync(
            rabbitMq,
            postgres,
            drainSeconds: 0,
            settings: [.. collector.Settings, ("Dsde__Worker__CheckpointTokens", "16")]
        );
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, first.VirtualHost);
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, first.VirtualHost);
        using var sent = new Activity("send").SetIdFormat(ActivityIdFormat.W3C).Start();
        sent.ActivityTraceFlags = ActivityTraceFlags.Recorded;
        var (traced, untraced) = (Guid.NewGuid(), Guid.NewGuid());
        const string many = "\"maxTokens\":900,\"choiceCount\":8,\"ignoreEos\":true,\"temperature\":0";

        await producer.SendByKeyAsync(
            "dsde-demo",
            Job(traced, many),
            new BasicProperties { Headers = new Dictionary<string, object?> { ["traceparent"] = sent.Id } }
        );
        await producer.SendByKeyAsync("dsde-demo", Job(untraced, many));
        await Rows.WaitAsync(first.ConnectionString, "SELECT count(DISTINCT job_id) = 2 FROM job_checkpoints");
        (await first.StopAsync(TimeSpan.FromSeconds(60))).ExitCode.ShouldBe(0);
        tap.Events.ShouldBeEmpty("It ended before its worker was told to stop.");
        await using var second = await first.StartAnotherAsync();
        await tap.WaitForAsync(2, TimeSpan.FromSeconds(120));
        (await second.StopAsync(TimeSpan.FromSeconds(60))).ExitCode.ShouldBe(0);

        var spans = collector.Spans().ToList();
        foreach (var (jobId, isTraced) in new[] { (traced, true), (untraced, false) })
        {
            var deliveries = spans.Where(span => Equals(span["dsde.job_id"], $"{jobId}")).OrderBy(span => span.Start).ToList();
            deliveries.Select(span => span["dsde.outcome"]).ShouldBe(["handed_back", "completed"]);
            deliveries.Select(span => span["dsde.attempt"]).ShouldBe([1L, 2L]);
            deliveries.ShouldAllBe(span => span.ParentId == (isTraced ? $"{sent.SpanId}" : ""));
            (deliveries[0].TraceId == deliveries[1].TraceId).ShouldBe(isTraced);
            deliveries[0].Links.ShouldBeEmpty();
            deliveries[1].Links.ShouldBe([(deliveries[0].TraceId, deliveries[0].SpanId)]);

            // What the second worker did, it did after it had the message, and went on from where the first had stopped.
            var generate = spans.ShouldHaveSingle(Generate, deliveries[1].SpanId);
            var phases = spans.Where(span => span.ParentId == generate.SpanId && span.Scope == "Dsde.Worker").ToList();
            phases.Count.ShouldBe(8 * Phases.Length);
            phases.ShouldAllBe(phase => phase.Start >= generate.Start - Slack && phase.End <= generate.End + Slack);
            phases.Where(phase => phase.Name == "prefill").ShouldContain(phase => Whole(phase["dsde.tokens_resumed"]) >= 16);
            spans.ShouldHaveSingle(Publish, deliveries[1].SpanId);
        }
    }

    private static void ShouldFollowConventions(ReceivedSpan process, ReceivedSpan generate, ReceivedSpan publish, TappedEvent told)
    {
        process.Kind.ShouldBe(OtlpTraces.SpanKind.Consumer);
        process["messaging.system"].ShouldBe("rabbitmq");
        process["messaging.operation.name"].ShouldBe("process");
        process["messaging.operation.type"].ShouldBe("process");
        process["messaging.destination.name"].ShouldBe("dsde-generation-jobs.dsde-demo");
        process["server.address"].ShouldBe("127.0.0.1");
        Whole(process["messaging.message.body.size"]).ShouldBeGreaterThan(100);
        process["dsde.outcome"].ShouldBe("completed");

        generate.Kind.ShouldBe(OtlpTraces.SpanKind.Internal);
        generate["gen_ai.operation.name"].ShouldBe("text_completion");
        generate["gen_ai.provider.name"].ShouldBe("dsde");
        generate["gen_ai.request.model"].ShouldBe("dsde-demo");
        generate["gen_ai.request.max_tokens"].ShouldBe(40L);
        generate["gen_ai.request.temperature"].ShouldBe(0.5);
        generate["gen_ai.request.seed"].ShouldBe(7L);
        generate["gen_ai.request.choice.count"].ShouldBe(2L);

        publish.Kind.ShouldBe(OtlpTraces.SpanKind.Producer);
        publish["messaging.operation.name"].ShouldBe("publish");
        publish["messaging.operation.type"].ShouldBe("send");
        publish["messaging.destination.name"].ShouldBe("Dsde.Contracts:GenerationJobCompleted");
        publish["messaging.message.id"].ShouldBe(told.Properties.MessageId);
    }

    private static void ShouldCount(ReceivedSpan generate, List<ReceivedSpan> phases, TappedEvent told)
    {
        var usage = told.Message.GetProperty("usage");
        var decoding = phases.Where(phase => phase.Name == "decode").ToList();
        generate["gen_ai.usage.input_tokens"].ShouldBe(usage.GetProperty("promptTokens").GetInt64());
        generate["gen_ai.usage.output_tokens"].ShouldBe(usage.GetProperty("completionTokens").GetInt64());
        foreach (var count in (string[])["gen_ai.usage.output_tokens", "dsde.iterations", "dsde.proposed", "dsde.accepted"])
        {
            decoding.Sum(phase => Whole(phase[count])).ShouldBe(Whole(generate[count]), count);
        }

        ((object?[])generate["gen_ai.response.finish_reasons"]!).Length.ShouldBe(2);
    }

    /// <summary>Neither names nor values have what the job said, or what came of it.</summary>
    private static void ShouldSayNothing(List<ReceivedSpan> spans, string? output)
    {
        output.ShouldNotBeNull().Length.ShouldBeGreaterThan(10);
        var begin = output[..10];
        foreach (var span in spans)
        {
            string.Join('\n', span.Attributes.Select(pair => $"{pair.Key}={pair.Value}").Prepend(span.Name).Append(span.StatusText))
                .ShouldNotContain(Marker, Case.Insensitive);
            span.Attributes.Values.ShouldAllBe(value => !$"{value}".Contains(begin, StringComparison.Ordinal));
        }
    }

    private static long Whole(object? value) => Convert.ToInt64(value, CultureInfo.InvariantCulture);

    private static string Job(Guid jobId, string more) =>
        $$$"""
            {"jobId":"{{{jobId}}}","model":"dsde-demo","prompt":"Story: Once there was a shy fox called {{{Marker}}}",{{{more}}},
            "customId":"{{{Marker}}}","stop":["{{{Marker}}}"],"metadata":{"{{{Marker}}}":"{{{Marker}}}"}}
            """;
}

internal static class SpanLists
{
    /// <summary>The one span of a name below another.</summary>
    public static ReceivedSpan ShouldHaveSingle(this List<ReceivedSpan> spans, string name, string parentId)
    {
        var found = spans.Where(span => span.Name == name && span.ParentId == parentId).ToList();
        found.Count.ShouldBe(
            1,
            $"{name} below {parentId}:\n" + string.Join('\n', spans.Select(span => $"{span.SpanId} in {span.ParentId}: {span.Name}"))
        );
        return found[0];
    }
}
