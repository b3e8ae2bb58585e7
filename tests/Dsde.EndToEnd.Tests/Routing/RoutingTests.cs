using System.Text.Json;
using Dsde.Contracts;
using Dsde.Pipeline.Messaging;
using Dsde.Testing;
using RabbitMQ.Client;

namespace Dsde.EndToEnd.Tests.Routing;

/// <summary>Several models on one broker: each job runs on a worker of its model, whoever sent it how.</summary>
public sealed class RoutingTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Workers_of_different_models_share_a_broker_and_no_job_is_lost_however_it_is_addressed()
    {
        const int Count = 40;
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        await using var first = await WorkerUnderTest.StartAsync([.. site, .. Serving("one", "llama3:8b")]);
        await using var second = await WorkerUnderTest.StartAsync([.. site, .. Serving("two", "both")]);
        await using var third = await WorkerUnderTest.StartAsync([.. site, .. Serving("both")]);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, first.VirtualHost);
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, first.VirtualHost);
        string[] models = ["one", "llama3:8b", "two", "both"];

        for (var number = 0; number < Count; number++)
        {
            var model = models[number % models.Length];
            var key = (number / models.Length % 4) switch
            {
                0 => "", // by the body
                1 => model,
                2 => $"{model}.high",
                _ => models[(number + 2) % models.Length], // the key of another: the body counts
            };
            await producer.SendByKeyAsync(key, Job(Guid.NewGuid(), model));
        }

        await tap.WaitForAsync(Count);
        tap.Events.Select(item => item.Type).ShouldAllBe(type => type == "GenerationJobCompleted");
        tap.Events.Select(item => item.JobId).Distinct().Count().ShouldBe(Count);
        var served = await Rows.ReadAsync(first.ConnectionString, "SELECT DISTINCT model, worker_id FROM generation_jobs");
        var allowed = new Dictionary<string, string[]>
        {
            ["one"] = [first.WorkerId],
            ["llama3:8b"] = [first.WorkerId],
            ["two"] = [second.WorkerId],
            ["both"] = [second.WorkerId, third.WorkerId],
        };
        served.Select(row => (string)row[0]!).Distinct().ShouldBe(models, ignoreOrder: true);
        served.ShouldAllBe(row => allowed[(string)row[0]!].Contains((string)row[1]!));
        await tap.ShouldBeEmptyAsync(RawProducer.Unrouted, RawProducer.Parked, RawProducer.Errors, RawProducer.Dead);

        var listed = (await DsdeProgram.RunAsync(first.Environment, "models", "--json"))
            .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToDictionary(model => model.GetProperty("name").GetString()!, model => model.GetProperty("workers").GetInt32());
        listed.ShouldBe(
            new Dictionary<string, int>
            {
                ["one"] = 1,
                ["llama3:8b"] = 1,
                ["two"] = 1,
                ["both"] = 2,
            },
            ignoreOrder: true
        );
    }

    /// <summary>A broker that is killed at once would have forgotten the queue with the job.</summary>
    [Fact]
    public async Task A_job_is_routed_by_its_body_to_a_queue_that_has_just_been_made_only_when_that_has_settled()
    {
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres);
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        var queue = QueueNames.Queue("young");
        await producer.MakeQueueAsync(queue, QueueTopology.JobArguments(new RabbitMqOptions()));
        var start = TimeProvider.System.GetTimestamp();

        await producer.SendByKeyAsync("", Job(Guid.NewGuid(), "young"));
        await producer.WaitForCountAsync(queue, 1, Patience);

        TimeProvider.System.GetElapsedTime(start).ShouldBeGreaterThan(QueueTopology.Settling);
        (await producer.CountAsync(RawProducer.Parked)).ShouldBe(0u);
    }

    [Fact]
    public async Task A_job_for_a_model_that_nobody_has_served_waits_in_sight_and_starts_as_soon_as_a_worker_of_it_comes()
    {
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres, settings: ("Dsde__Worker__ModelWaitSeconds", "600"));
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        var (awaited, other) = (Guid.NewGuid(), Guid.NewGuid());

        await producer.SendByKeyAsync("", Job(awaited, "later"));
        await producer.SendByKeyAsync("later.high", Job(Guid.NewGuid(), model: null)); // the key says it, also after the waiting
        await producer.SendByKeyAsync("never", Job(other, "never"));
        await producer.WaitForCountAsync(RawProducer.Parked, 3, Patience);

        var health = await HealthAsync(worker, "3 jobs wait for models that no worker has served");
        health.ShouldContain("later, never");
        health.ShouldStartWith("Degraded");
        (await worker.ReadMetricAsync("dsde_jobs_parked")).ShouldBe(3);
        var status = await RunAsync(worker, "status");
        status.ShouldContain("3 jobs wait for models that no worker has ever served: later (2), never (1)");
        (await RunAsync(worker, "models")).ShouldContain("later (2), never (1)");
        (await producer.CountAsync(RawProducer.Parked)).ShouldBe(3u, "Looking has changed what is looked at.");
        tap.Events.ShouldBeEmpty();

        await using var late = await worker.StartAnotherAsync(("Dsde__Worker__Models__0", "later"));
        await tap.WaitForAsync(2);

        (await tap.WaitForJobAsync(awaited)).Type.ShouldBe("GenerationJobCompleted");
        tap.Events.Select(item => item.JobId).ShouldNotContain(other);
        await producer.WaitForCountAsync(RawProducer.Parked, 1, Patience);
        await HealthAsync(worker, "1 job waits for models that no worker has served");
    }

    [Fact]
    public async Task A_model_that_nobody_ever_serves_and_one_that_nobody_can_serve_are_announced_as_not_found()
    {
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres, settings: ("Dsde__Worker__ModelWaitSeconds", "3"));
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        var (never, impossible) = (Guid.NewGuid(), Guid.NewGuid());
        var started = TimeProvider.System.GetTimestamp();

        await producer.SendByKeyAsync("never", Job(never, "never"));
        await producer.SendByKeyAsync("", Job(impossible, "no alias"));

        var atOnce = await tap.WaitForJobAsync(impossible);
        var later = await tap.WaitForJobAsync(never);
        TimeProvider.System.GetElapsedTime(started).ShouldBeGreaterThan(TimeSpan.FromSeconds(3));
        foreach (var failed in (TappedEvent[])[atOnce, later])
        {
            failed.Type.ShouldBe("GenerationJobFailed");
            failed.Message.GetProperty("code").GetString().ShouldBe("model_not_found");
        }

        atOnce.Message.GetProperty("message").GetString()!.ShouldContain("'no alias', which no worker can serve");
        later.Message.GetProperty("message").GetString()!.ShouldContain("'never', which no worker has served");
        (
            await Rows.CountAsync(worker.ConnectionString, "SELECT count(*) FROM generation_jobs WHERE failure_code = 'model_not_found'")
        ).ShouldBe(2);
        await tap.ShouldBeEmptyAsync(RawProducer.Unrouted, RawProducer.Parked, RawProducer.Errors, RawProducer.Dead);
    }

    [Fact]
    public async Task A_body_without_a_model_is_for_the_one_of_its_routing_key_or_for_the_default_one()
    {
        await using var worker = await WorkerUnderTest.StartAsync(
            rabbitMq,
            postgres,
            settings: [.. Serving("one", "two"), ("Dsde__Worker__DefaultModel", "two")]
        );
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        var (byKey, byDefault) = (Guid.NewGuid(), Guid.NewGuid());

        await producer.SendByKeyAsync("one", Job(byKey, model: null));
        await producer.SendByKeyAsync("", Job(byDefault, model: null));
        await tap.WaitForAsync(2);

        tap.Events.Select(item => item.Type).ShouldAllBe(type => type == "GenerationJobCompleted");
        (await Rows.ReadAsync(worker.ConnectionString, "SELECT model FROM generation_jobs ORDER BY model"))
            .Select(row => row[0])
            .ShouldBe(["one", "two"]);
        (await Rows.ReadAsync(worker.ConnectionString, $"SELECT model FROM generation_jobs WHERE job_id = '{byKey}'"))[0]
            [0]
            .ShouldBe("one");
    }

    [Fact]
    public async Task The_queue_of_a_model_whose_last_worker_left_keeps_its_jobs_while_workers_change_their_models()
    {
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        var (old, fresh) = (Serving("old"), Serving("fresh"));
        await using var first = await WorkerUnderTest.StartAsync([.. site, .. old]);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, first.VirtualHost);
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, first.VirtualHost);
        (await first.StopAsync(Patience)).ExitCode.ShouldBe(0);
        await using var second = await WorkerUnderTest.StartAsync([.. site, .. fresh]); // the rolling change is half done
        List<Guid> ids = [Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid()];

        await producer.SendByKeyAsync("old", Job(ids[0], "old"));
        await producer.SendByKeyAsync("", Job(ids[1], "old"));
        await producer.SendByKeyAsync("", Job(ids[2], "fresh"));
        await tap.WaitForJobAsync(ids[2]);
        await producer.WaitForCountAsync("dsde-generation-jobs.old", 2, Patience);
        (await producer.CountAsync(RawProducer.Parked)).ShouldBe(0u);
        (await RunAsync(second, "models")).ShouldMatch(@"old\s+0\s+0\s+2\s");
        tap.Events.Count.ShouldBe(1);

        await using var third = await WorkerUnderTest.StartAsync([.. site, .. old]);
        await tap.WaitForAsync(3);
        tap.Events.Select(item => item.JobId).ShouldBe(ids.Select(id => (Guid?)id), ignoreOrder: true);
        tap.Events.ShouldAllBe(item => item.Type == "GenerationJobCompleted");
    }

    [Fact]
    public async Task An_alias_that_no_queue_can_be_called_is_refused_at_the_start_with_the_setting()
    {
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);

        var refused = await DsdeProgram.RunAsync([.. site, .. Serving("good", "meta/llama")], "worker");

        refused.ExitCode.ShouldBe(2);
        refused.Error.ShouldContain("Dsde:Worker:Models:1 is 'meta/llama'");
        refused.Error.ShouldContain("ASCII letters, digits");
    }

    internal static (string, string)[] Serving(params string[] models) =>
        [.. models.Select((model, index) => ($"Dsde__Worker__Models__{index}", model))];

    internal static string Job(Guid id, string? model) =>
        JsonSerializer.Serialize(
            new Dictionary<string, object?>
            {
                ["jobId"] = id,
                ["prompt"] = "Q: Which day comes after Monday?\nA:",
                ["maxTokens"] = 4,
                ["temperature"] = 0,
            }
                .Append(KeyValuePair.Create("model", (object?)model))
                .Where(field => field.Value is not null)
                .ToDictionary()
        );

    private static async Task<string> RunAsync(WorkerUnderTest worker, params string[] arguments)
    {
        var ended = await DsdeProgram.RunAsync(worker.Environment, arguments);
        ended.ExitCode.ShouldBe(0, ended.Error);
        return ended.Output;
    }

    private static async Task<string> HealthAsync(WorkerUnderTest worker, string words)
    {
        for (var start = TimeProvider.System.GetTimestamp(); ; )
        {
            var (status, text) = await worker.ReadHealthAsync();
            if (text.Contains(words, StringComparison.Ordinal))
            {
                status.ShouldBe(System.Net.HttpStatusCode.OK);
                return text;
            }

            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(Patience, text);
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }
}
