using System.Text;
using System.Text.Json;
using Dsde.Batches.Following;
using Dsde.Contracts;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;
using RabbitMQ.Client;

namespace Dsde.EndToEnd.Tests;

/// <summary>The production shape: a worker process, a real RabbitMQ, a real PostgreSQL.</summary>
public sealed class QueueTests(RabbitMqServer rabbitMq, PostgresServer postgres, SampleRun sample)
{
    [Fact]
    public async Task The_sample_file_gives_the_same_greedy_texts_and_rows_traces_and_events_agree()
    {
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        using var folder = new ScratchFolder();

        var ended = await DsdeProgram.RunAsync(worker.Environment, "submit", SampleRun.JobFile, "--wait", "--out", folder.Path);

        ended.ExitCode.ShouldBe(0, ended.Error + ended.Output);
        await tap.WaitForAsync(76);
        (await sample.Ended).ExitCode.ShouldBe(0);
        var greedy = File.ReadLines(SampleRun.JobFile)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.GetProperty("body").GetProperty("temperature").GetDouble() == 0)
            .Select(line => line.GetProperty("custom_id").GetString())
            .ToHashSet();
        var embedded = ResultLine
            .Read(Path.Combine(sample.Folder, "results.jsonl"))
            .Where(result => greedy.Contains(result.CustomId))
            .ToDictionary(result => result.CustomId, result => result.Text);
        var queued = ResultLine.Read(Path.Combine(folder.Path, "results.jsonl"));
        queued.Count.ShouldBe(75);
        queued
            .Where(result => greedy.Contains(result.CustomId))
            .ToDictionary(result => result.CustomId, result => result.Text)
            .ShouldBe(embedded, ignoreOrder: true);

        var rows = await Rows.ReadAsync(
            worker.ConnectionString,
            "SELECT j.job_id, j.text, t.proposed, t.accepted, t.iterations, cardinality(t.proposal_kld), cardinality(t.iteration_length), "
                + "cardinality(t.token_margin), j.completion_tokens "
                + "FROM generation_jobs j JOIN job_traces t USING (job_id) WHERE j.state = 'completed'"
        );
        rows.Count.ShouldBe(75);
        rows.ShouldAllBe(row => row[2]!.Equals(row[5]) && row[4]!.Equals(row[6]) && row[7]!.Equals(row[8]));
        var events = tap.Events.Where(item => item.Type == "GenerationJobCompleted").ToList();
        events.Select(item => item.MessageId).Distinct().Count().ShouldBe(75);
        var texts = rows.ToDictionary(row => row[0]!.ToString()!, row => (string)row[1]!);
        foreach (var (_, _, message) in events)
        {
            message.GetProperty("text").GetString().ShouldBe(texts[message.GetProperty("jobId").GetString()!]);
        }

        (
            await Rows.CountAsync(
                worker.ConnectionString,
                """
                SELECT count(*) FROM output_latency l JOIN workers w USING (worker_start_id)
                WHERE l.submitted_at <= l.ended_at AND l.first_token_ms > 0 AND w.threads > 0 AND w.cost_profile -> 'target' IS NOT NULL
                  AND abs(l.queue_ms + l.outside_ms + l.total_ms - l.end_to_end_ms) < 1
                  AND abs(l.waiting_ms + l.prefill_ms + l.others_ms + l.draft_ms + l.verify_ms + l.sampling_ms + l.rest_ms - l.total_ms)
                      < 0.001
                """
            )
        ).ShouldBe(75);
        (await Rows.CountAsync(worker.ConnectionString, "SELECT count(*) FROM job_traces_rest")).ShouldBe(0);

        // one worker tells it once
        var batch = tap.Events.Where(item => item.Type == "GenerationBatchCompleted").ShouldHaveSingleItem().Message;
        batch.GetProperty("jobCount").GetInt32().ShouldBe(75);
        batch.GetProperty("completedCount").GetInt32().ShouldBe(75);
        ((long)(await Rows.ReadAsync(worker.ConnectionString, "SELECT count(*) FROM iteration_telemetry"))[0][0]!).ShouldBe(
            rows.Sum(row => (long)(int)row[4]!)
        );
        (await rabbitMq.FindQueueAsync(worker.VirtualHost, RawProducer.Jobs))
            .ShouldNotBeNull()
            .GetProperty("type")
            .GetString()
            .ShouldBe("quorum");
    }

    [Fact]
    public async Task A_raw_JSON_message_of_any_producer_is_accepted_and_delivered_twice_told_twice_the_same()
    {
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        var id = Guid.NewGuid();
        var body =
            $$$"""{"jobId":"{{{id}}}","model":"dsde-demo","prompt":"Q: Which day comes after Monday?\nA:","maxTokens":12"""
            + $$$""","temperature":0,"stop":["\n"],"metadata":{"workload":"raw"}}""";

        await tap.PublishToAsync(
            "dsde-generation-jobs",
            body,
            new BasicProperties { Persistent = true, Timestamp = new AmqpTimestamp(1_700_000_000) }
        );
        await tap.WaitForAsync(1);
        await tap.PublishAsync(body);
        await tap.WaitForAsync(2);
        await tap.PublishAsync(body.Replace("Monday", "Friday", StringComparison.Ordinal));
        await tap.WaitForAsync(3);

        var events = tap.Events.ToList();
        events[0].Type.ShouldBe("GenerationJobCompleted");
        events[0].Message.GetProperty("text").GetString().ShouldNotBeNull().ShouldContain("Tuesday");
        events[1].MessageId.ShouldBe(events[0].MessageId);
        events[1].Message.GetRawText().ShouldBe(events[0].Message.GetRawText());
        events[2].Type.ShouldBe("GenerationJobFailed");
        events[2].Message.GetProperty("code").GetString().ShouldBe("job_id_conflict");
        (
            await Rows.ReadAsync(
                worker.ConnectionString,
                "SELECT state, workload, EXTRACT(epoch FROM submitted_at)::bigint FROM generation_jobs"
            )
        )
            .ShouldHaveSingleItem()
            .ShouldBe(["completed", "raw", 1_700_000_000L]);
    }

    [Fact]
    public async Task What_can_never_run_fails_with_a_reason_and_what_can_not_be_read_goes_to_the_error_queue()
    {
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);

        await tap.PublishAsync($$"""{"jobId":"{{Guid.NewGuid()}}","model":"other","prompt":"a"}""");
        await tap.PublishAsync($$"""{"jobId":"{{Guid.NewGuid()}}","model":"dsde-demo","prompt":"a","temperature":9}""");
        await tap.PublishAsync("{\"jobId\": 7");
        var unread = await tap.TakeAsync("dsde-generation-jobs_error");
        await tap.WaitForAsync(2);

        tap.Events.ShouldAllBe(item => item.Type == "GenerationJobFailed");
        tap.Events.Select(item => item.Message.GetProperty("code").GetString())
            .ShouldBe(["model_not_found", "invalid_request"], ignoreOrder: true);
        tap.Events.Select(item => item.Message.GetProperty("message").GetString())
            .ShouldContain(message => message!.Contains("temperature is 9"));
        Encoding.UTF8.GetString((byte[])unread.BasicProperties.Headers!["MT-Fault-Message"]!).ShouldNotBeEmpty();
        (await Rows.ReadAsync(worker.ConnectionString, "SELECT failure_code FROM generation_jobs WHERE state = 'failed'")).Count.ShouldBe(
            2
        );
    }

    [Fact]
    public async Task Messages_that_name_their_senders_user_are_taken_as_others_are()
    {
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres);
        await rabbitMq.SetUserAsync("service", "service", worker.VirtualHost);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        await using var sender = await RawProducer.OpenAsync(rabbitMq.Port, worker.VirtualHost, "service");
        var named = new RabbitMQ.Client.BasicProperties { UserId = "service", MessageId = "unreadable" };

        foreach (var key in new[] { "", "dsde-demo" })
        {
            var body = $$"""{"jobId":"{{Guid.NewGuid()}}","model":"dsde-demo","prompt":"Story: Once","maxTokens":4}""";
            await sender.SendByKeyAsync(key, body, named);
        }

        await sender.SendAsync(RawProducer.Jobs, "{\"jobId\": 7", named);
        var unread = await tap.TakeAsync(RawProducer.Errors);
        await tap.WaitForAsync(2);

        tap.Events.Select(item => item.Type).ShouldBe(["GenerationJobCompleted", "GenerationJobCompleted"]);
        unread.BasicProperties.MessageId.ShouldBe("unreadable");
        worker.Log.ShouldNotContain("PRECONDITION_FAILED");
    }

    [Fact]
    public async Task A_worker_told_to_stop_gives_back_what_it_runs_and_another_finishes_it()
    {
        await using var first = await WorkerUnderTest.StartAsync(rabbitMq, postgres, drainSeconds: 0);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, first.VirtualHost);
        using var folder = new ScratchFolder();
        var sent = await DsdeProgram.RunAsync(first.Environment, "submit", LongJobs.Write(folder.Path));
        sent.ExitCode.ShouldBe(0, sent.Error);
        await tap.WaitForAsync(1);

        var (exitCode, log) = await first.StopAsync(TimeSpan.FromSeconds(30));
        var endedBefore = tap.Events.Count;
        await using var second = await first.StartAnotherAsync();
        await tap.WaitForAsync(LongJobs.Count + 1);

        exitCode.ShouldBe(0);
        log.ShouldNotContain("R-FAULT");
        endedBefore.ShouldBeLessThan(LongJobs.Count);
        tap.Events.Where(item => item.Type == "GenerationJobCompleted")
            .Select(item => item.MessageId)
            .Distinct()
            .Count()
            .ShouldBe(LongJobs.Count);
        tap.Events.Count(item => item.Type == "GenerationBatchCompleted").ShouldBe(1);
        (await Rows.ReadAsync(first.ConnectionString, "SELECT state FROM generation_jobs")).ShouldAllBe(row =>
            (string)row[0]! == "completed"
        );
        (await rabbitMq.FindQueueAsync(first.VirtualHost, "dsde-generation-jobs_error")).ShouldBeNull();
    }

    [Fact]
    public async Task The_jobs_of_a_killed_worker_are_ended_by_another_each_once()
    {
        await using var doomed = await WorkerUnderTest.StartAsync(rabbitMq, postgres);
        await using var other = await doomed.StartAnotherAsync();
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, doomed.VirtualHost);
        using var folder = new ScratchFolder();

        var submitting = DsdeProgram.RunAsync(doomed.Environment, "submit", LongJobs.Write(folder.Path), "--wait", "--out", folder.Path);
        await tap.WaitForAsync(1);
        await doomed.KillAsync();
        var ended = await submitting;

        ended.ExitCode.ShouldBe(0, ended.Error + ended.Output);
        ResultLine.Read(Path.Combine(folder.Path, "results.jsonl")).Count.ShouldBe(LongJobs.Count);
        var rows = await Rows.ReadAsync(doomed.ConnectionString, "SELECT state, attempt FROM generation_jobs");
        rows.Count.ShouldBe(LongJobs.Count);
        rows.ShouldAllBe(row => "completed".Equals(row[0]));
        rows.Count(row => row[1] is > 1).ShouldBeGreaterThan(0, "No job was running on the worker that was killed, so nothing was tried.");
        (await Rows.ReadAsync(doomed.ConnectionString, "SELECT count(*) FROM job_traces"))[0][0].ShouldBe((long)LongJobs.Count);
        await tap.WaitForAsync(LongJobs.Count + 1);
        tap.Events.GroupBy(item => item.MessageId).Count().ShouldBe(LongJobs.Count + 1);
    }
}
