using System.Net;
using System.Text.Json;
using Dsde.Persistence;
using Dsde.Pipeline;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;
using Microsoft.Extensions.Logging;

namespace Dsde.EndToEnd.Tests.Hosting;

/// <summary>A worker whose engine never comes back, beside one that is well.</summary>
public sealed class HungEngineTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const int Jobs = 3;

    [Fact]
    public async Task When_an_engine_hangs_its_worker_is_not_live_any_more_and_ends_and_another_does_its_jobs()
    {
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        string ValueOf(string name) => site.Last(setting => setting.Name == name).Value;
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, ValueOf("Dsde__RabbitMq__VirtualHost"));
        var engine = new HangingEngine();
        using var log = new ListLog();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(log));
        var port = FreePorts.Find(1);
        var hanging = new WorkerProcess(
            new WorkerOptions
            {
                WorkerId = "hanging",
                HealthPort = $"{port}",
                LeaseSeconds = 60, // nobody waits for it to run out: the worker goes, and its claims with it
                EngineStallSeconds = 5,
            },
            new RabbitMqOptions
            {
                Host = "127.0.0.1",
                Port = rabbitMq.Port,
                VirtualHost = ValueOf("Dsde__RabbitMq__VirtualHost"),
            },
            new PersistenceOptions { ConnectionString = ValueOf("Dsde__Persistence__ConnectionString") },
            () => engine,
            loggers
        );
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var running = hanging.RunAsync(stop.Token);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        await UntilAsync(async () => (await client.GetAsync("health/ready", stop.Token)).IsSuccessStatusCode);
        for (var number = 0; number < Jobs; number++)
        {
            await tap.PublishAsync(Job());
        }

        await UntilAsync(() => Task.FromResult(engine.Requests == Jobs));
        (await client.GetAsync("health/live", stop.Token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var live = "";
        await UntilAsync(async () =>
        {
            using var response = await client.GetAsync("health/live", stop.Token);
            live = await response.Content.ReadAsStringAsync(stop.Token);
            return response.StatusCode == HttpStatusCode.ServiceUnavailable;
        });
        live.ShouldContain("engine: Unhealthy");
        (await Should.ThrowAsync<ExpectedFailureException>(() => running)).Message.ShouldContain("The engine hangs");
        await using var other = await WorkerUnderTest.StartAsync(site);
        await tap.WaitForAsync(Jobs);

        tap.Events.ShouldAllBe(item => item.Type == "GenerationJobCompleted");
        var rows = await Rows.ReadAsync(ValueOf("Dsde__Persistence__ConnectionString"), "SELECT state, worker_id FROM generation_jobs");
        rows.Count.ShouldBe(Jobs);
        rows.ShouldAllBe(row => (string)row[0]! == "completed" && (string)row[1]! == other.WorkerId);
        await engine.ReleaseAsync();
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (var start = TimeProvider.System.GetTimestamp(); ; await Task.Delay(50, TestContext.Current.CancellationToken))
        {
            try
            {
                if (await isSo())
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(60));
        }
    }

    private static string Job() =>
        JsonSerializer.Serialize(
            new
            {
                jobId = Guid.NewGuid(),
                model = "dsde-demo",
                prompt = "Story: Once",
                maxTokens = 8,
            }
        );
}
