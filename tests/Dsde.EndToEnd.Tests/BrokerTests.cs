using System.Net;
using System.Text.Json;
using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>A broker that refuses, loses a queue, or has two lanes full of messages, with a worker at work.</summary>
public sealed class BrokerTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const string Bulk = RawProducer.Jobs;
    private const string High = RawProducer.High;

    [Fact]
    public async Task A_login_that_is_refused_for_a_while_and_a_queue_made_anew_leave_no_endpoint_dead()
    {
        var settings = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        var (user, virtualHost) = (
            $"worker-{Guid.NewGuid():N}",
            settings.Single(setting => setting.Name == "Dsde__RabbitMq__VirtualHost").Value
        );
        await rabbitMq.SetUserAsync(user, "right", virtualHost);
        await using var worker = await WorkerUnderTest.StartAsync([
            .. settings,
            ("Dsde__RabbitMq__Username", user),
            ("Dsde__RabbitMq__Password", "right"),
            ("Dsde__Worker__ReattachSeconds", "5"),
        ]);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, virtualHost);

        await rabbitMq.SetUserAsync(user, "wrong", virtualHost);
        await rabbitMq.CutConnectionsAsync(virtualHost);
        // the watchdog's own words, so its time has been up once
        var text = await HealthAsync(worker, HttpStatusCode.ServiceUnavailable, "ACCESS_REFUSED");
        text.ShouldContain($"{Bulk} has no consumer since ");
        text.ShouldContain($"{High} has no consumer since ");
        text.ShouldContain("dsde-cancel-job has no consumer since ");
        text.ShouldContain("dsde-cancel-batch has no consumer since ");
        await rabbitMq.SetUserAsync(user, "right", virtualHost); // by now MassTransit alone has given up
        await tap.PublishAsync(Job(8));
        await tap.WaitForAsync(1);
        await HealthAsync(worker, HttpStatusCode.OK, "last delivery");

        await rabbitMq.DeleteQueueAsync(virtualHost, High);
        await rabbitMq.WaitForQueueAsync(virtualHost, High);

        await HealthAsync(worker, HttpStatusCode.OK, $"{High} attached");
        await tap.PublishAsync(Job(8), queue: High);
        await tap.WaitForAsync(2);
        worker.HasExited.ShouldBeFalse();
    }

    [Fact]
    public async Task A_high_job_overtakes_a_backlog_a_stream_of_them_does_not_stop_it_and_what_is_unacknowledged_stays_bounded()
    {
        const int Backlog = 60;
        const int HighJobs = 24;
        const int Bound = 4 + 2; // of a lane: batch size and margin
        await using var wire = new Wire(rabbitMq.Port, WireProtocol.Amqp);
        var deliveries = new DeliveryWatch();
        _ = wire.ArmAsync(deliveries.See);
        await using var worker = await WorkerUnderTest.StartAsync(
            rabbitMq,
            postgres,
            settings:
            [
                ("Dsde__RabbitMq__Port", $"{wire.Port}"),
                ("Dsde__Engine__BatchSize", "4"),
                ("Dsde__Engine__PriorityAgeingSeconds", "1"),
            ]
        );
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, worker.VirtualHost);

        for (var number = 0; number < Backlog; number++)
        {
            await producer.SendAsync(Bulk, Job(250));
        }

        await tap.WaitForAsync(2);
        await worker.PauseAsync(); // the whole stream finds the rest of the backlog there, however fast the engine
        await producer.SendAsync(High, Job(20, "high"));
        for (var number = 1; number < HighJobs; number++)
        {
            await producer.SendAsync(High, Job(700, "high")); // the stream takes several times as long as priority ages
        }

        await worker.ContinueAsync();
        await RequireAllEndedOnceAsync(worker, tap, Backlog + HighJobs, batches: 0);
        var order = tap.Events.Select(item => item.Message.GetProperty("metadata").GetProperty("workload").GetString()).ToList();
        order.IndexOf("high").ShouldBeLessThan(Backlog / 2);
        var stream = order[order.IndexOf("high")..order.LastIndexOf("high")];
        stream.Count(workload => workload == "bulk").ShouldBeGreaterThan(0);
        order[(order.LastIndexOf("high") + 1)..].Count.ShouldBeGreaterThan(0, "The backlog was done before the stream: nothing was tried.");
        deliveries.MostUnacknowledged(Bulk).ShouldBeInRange(1, Bound);
        deliveries.MostUnacknowledged(High).ShouldBeInRange(1, Bound);
    }

    /// <summary>
    /// Waits for every end, then looks at rows, events and queues. All must have completed, or have been cancelled before that where the
    /// batch was.
    /// </summary>
    internal static async Task RequireAllEndedOnceAsync(
        RabbitMqServer rabbitMq,
        WorkerUnderTest worker,
        EventTap tap,
        int jobs,
        int batches = 1,
        bool isCancelled = false
    )
    {
        var patience = TimeProvider.System.GetTimestamp();
        while (
            JobEvents(tap).Select(item => item.JobId).Distinct().Count() < jobs
            || tap.Events.Count(item => item.Type == "GenerationBatchCompleted") < batches
        )
        {
            TimeProvider
                .System.GetElapsedTime(patience)
                .ShouldBeLessThan(
                    TimeSpan.FromSeconds(150),
                    $"Of {jobs} jobs {JobEvents(tap).Select(item => item.JobId).Distinct().Count()} were announced.\n{worker.Log}"
                );
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        JobEvents(tap).GroupBy(item => item.JobId).ShouldAllBe(job => job.Select(item => item.MessageId).Distinct().Count() == 1);
        var rows = await Rows.ReadAsync(worker.ConnectionString, "SELECT state, count(*) FROM generation_jobs GROUP BY state");
        rows.Sum(row => (long)row[1]!).ShouldBe(jobs);
        rows.Select(row => (string)row[0]!).Except(isCancelled ? ["completed", "cancelled"] : ["completed"]).ShouldBeEmpty();
        const string Untraced =
            "SELECT count(*) FROM generation_jobs WHERE state = 'completed' "
            + "AND job_id NOT IN (SELECT job_id FROM job_traces WHERE choice = 0)";
        (await Rows.ReadAsync(worker.ConnectionString, Untraced)).ShouldHaveSingleItem().ShouldBe([0L]);
        foreach (var queue in new[] { Bulk, High })
        {
            await rabbitMq.WaitUntilEmptyAsync(worker.VirtualHost, queue);
        }

        (await rabbitMq.FindQueueAsync(worker.VirtualHost, RawProducer.Errors)).ShouldBeNull();
    }

    private Task RequireAllEndedOnceAsync(WorkerUnderTest worker, EventTap tap, int jobs, int batches = 1) =>
        RequireAllEndedOnceAsync(rabbitMq, worker, tap, jobs, batches);

    internal static async Task SubmitAsync(WorkerUnderTest worker, Func<string, string> write, params string[] arguments)
    {
        using var folder = new ScratchFolder();
        var sent = await DsdeProgram.RunAsync(worker.Environment, ["submit", write(folder.Path), .. arguments]);
        sent.ExitCode.ShouldBe(0, sent.Error);
    }

    private static IEnumerable<(string JobId, string MessageId)> JobEvents(EventTap tap) =>
        tap
            .Events.Where(item => item.Type != "GenerationBatchCompleted")
            .Select(item => (item.Message.GetProperty("jobId").GetString() ?? "", item.MessageId));

    private static string Job(int tokens, string workload = "bulk") =>
        JsonSerializer.Serialize(
            new
            {
                jobId = Guid.NewGuid(),
                model = "dsde-demo",
                prompt = "Story: Once there was a shy fox",
                maxTokens = tokens,
                ignoreEos = true,
                metadata = new { workload },
            }
        );

    /// <summary>Waits for a status and words in the worker's health.</summary>
    private static async Task<string> HealthAsync(WorkerUnderTest worker, HttpStatusCode status, string words)
    {
        for (var patience = TimeProvider.System.GetTimestamp(); ; )
        {
            var (found, text) = await worker.ReadHealthAsync();
            if (found == status && text.Contains(words, StringComparison.Ordinal))
            {
                return text;
            }

            TimeProvider.System.GetElapsedTime(patience).ShouldBeLessThan(TimeSpan.FromSeconds(60), $"{found} {text}\n{worker.Log}");
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }
}
