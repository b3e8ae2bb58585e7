using System.Net;
using System.Text.Json;
using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>A broker that goes away, comes back, refuses, or stops taking messages, under a worker at work.</summary>
public sealed class BrokerTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const string Bulk = "dsde-generation-jobs";
    private const string High = "dsde-generation-jobs-high";

    [Fact]
    public async Task Cut_connections_a_restart_and_a_memory_alarm_of_the_broker_cost_no_job_and_double_none()
    {
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        await SubmitAsync(worker, LongJobs.Write, "--limit", "16");

        await tap.WaitForAsync(2);
        (await rabbitMq.CutConnectionsAsync(worker.VirtualHost)).ShouldBeGreaterThan(0);
        await tap.WaitForAsync(5);
        await rabbitMq.Server.StopAsync();
        await rabbitMq.Server.RestartAsync();
        await tap.WaitForAsync(8);
        await rabbitMq.SetMemoryAlarmAsync(true);
        await Task.Delay(TimeSpan.FromSeconds(4), TestContext.Current.CancellationToken); // nothing can be published, whatever ends
        await rabbitMq.SetMemoryAlarmAsync(false);

        await RequireAllEndedOnceAsync(worker, tap, 16);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_worker_told_to_stop_while_the_broker_is_away_or_takes_nothing_ends_in_time_and_another_finishes(bool isAlarm)
    {
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres, drainSeconds: 2);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        await SubmitAsync(worker, LongJobs.Write, "--limit", "6");
        await tap.WaitForAsync(1);

        await (isAlarm ? rabbitMq.SetMemoryAlarmAsync(true) : rabbitMq.Server.StopAsync());
        var stopping = TimeProvider.System.GetTimestamp();
        var (exitCode, log) = await worker.StopAsync(TimeSpan.FromSeconds(60));
        var took = TimeProvider.System.GetElapsedTime(stopping);
        await (isAlarm ? rabbitMq.SetMemoryAlarmAsync(false) : rabbitMq.Server.RestartAsync());

        exitCode.ShouldBe(0, log);
        took.ShouldBeLessThan(TimeSpan.FromSeconds(2 + 15)); // what docs/operations.md tells orchestrators to give
        await using var successor = await worker.StartAnotherAsync();
        await RequireAllEndedOnceAsync(worker, tap, 6);
    }

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
        var text = await HealthAsync(worker, HttpStatusCode.ServiceUnavailable, "ACCESS_REFUSED"); // the watchdog's own words, so its time has been up once
        text.ShouldContain($"{Bulk} has no consumer since ");
        text.ShouldContain($"{High} has no consumer since ");
        text.ShouldContain("dsde-cancel-job has no consumer since ");
        text.ShouldContain("dsde-cancel-batch has no consumer since ");
        await rabbitMq.SetUserAsync(user, "right", virtualHost);
        await tap.PublishAsync(Job(8));
        await tap.WaitForAsync(1);
        await HealthAsync(worker, HttpStatusCode.OK, "last delivery");
        worker.Log.ShouldContain("its endpoint is restarted"); // MassTransit alone had given up

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
        const int Backlog = 40;
        const int HighJobs = 24;
        const int Bound = 4 + 2; // of a lane: batch size and margin
        await using var worker = await WorkerUnderTest.StartAsync(
            rabbitMq,
            postgres,
            settings: [("Dsde__Engine__BatchSize", "4"), ("Dsde__Engine__PriorityAgeingSeconds", "1")]
        );
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        using var watched = new CancellationTokenSource();
        var unacknowledged = WatchUnacknowledgedAsync(worker.VirtualHost, watched.Token);

        for (var number = 0; number < Backlog; number++)
        {
            await tap.PublishAsync(Job(250));
        }

        await tap.WaitForAsync(2);
        await tap.PublishAsync(Job(20, "high"), queue: High);
        for (var number = 1; number < HighJobs; number++)
        {
            await tap.PublishAsync(Job(100, "high"), queue: High);
        }

        await RequireAllEndedOnceAsync(worker, tap, Backlog + HighJobs, batches: 0);
        await watched.CancelAsync();
        var order = tap.Events.Select(item => item.Message.GetProperty("metadata").GetProperty("workload").GetString()).ToList();
        order.IndexOf("high").ShouldBeLessThan(Backlog / 2);
        var stream = order[order.IndexOf("high")..order.LastIndexOf("high")];
        stream.Count(workload => workload == "bulk").ShouldBeGreaterThan(0);
        order[(order.LastIndexOf("high") + 1)..].Count.ShouldBeGreaterThan(0, "The backlog was done before the stream: nothing was tried.");
        var (bulk, high) = await unacknowledged;
        bulk.ShouldBeInRange(1, Bound);
        high.ShouldBeInRange(0, Bound);
    }

    /// <summary>Waits for every end, then looks at rows, events and queues.</summary>
    internal static async Task RequireAllEndedOnceAsync(
        RabbitMqServer rabbitMq,
        WorkerUnderTest worker,
        EventTap tap,
        int jobs,
        int batches = 1
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
        rows.ShouldHaveSingleItem().ShouldBe(["completed", (long)jobs]);
        (await Rows.ReadAsync(worker.ConnectionString, "SELECT count(*) FROM job_traces WHERE choice = 0"))[0][0].ShouldBe((long)jobs);
        foreach (var queue in new[] { Bulk, High })
        {
            while (
                await rabbitMq.FindQueueAsync(worker.VirtualHost, queue) is not { } found
                || !found.TryGetProperty("messages", out var messages)
                || messages.GetInt32() > 0
            )
            {
                TimeProvider.System.GetElapsedTime(patience).ShouldBeLessThan(TimeSpan.FromSeconds(180), $"{queue} is not empty.");
                await Task.Delay(200, TestContext.Current.CancellationToken);
            }

            (await rabbitMq.FindQueueAsync(worker.VirtualHost, queue + "_error")).ShouldBeNull();
        }
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

    /// <summary>The most messages of either lane that the broker ever counted as delivered and not acknowledged.</summary>
    private async Task<(int Bulk, int High)> WatchUnacknowledgedAsync(string virtualHost, CancellationToken cancellationToken)
    {
        var (bulk, high) = (0, 0);
        while (!cancellationToken.IsCancellationRequested)
        {
            bulk = Math.Max(bulk, await CountAsync(Bulk));
            high = Math.Max(high, await CountAsync(High));
            await Task.Delay(200, CancellationToken.None);
        }

        return (bulk, high);

        async Task<int> CountAsync(string queue) =>
            await rabbitMq.FindQueueAsync(virtualHost, queue) is { } found && found.TryGetProperty("messages_unacknowledged", out var count)
                ? count.GetInt32()
                : 0;
    }
}
