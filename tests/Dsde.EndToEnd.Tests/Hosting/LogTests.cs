using System.Text.Json;
using System.Text.RegularExpressions;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Hosting;

/// <summary>What a worker logs at the default level: a line for what matters, and no stack of what is only away.</summary>
public sealed class LogTests(BreakableServers servers) : IClassFixture<BreakableServers>
{
    [Fact]
    public async Task With_the_JSON_formatter_every_line_is_JSON_and_every_ended_job_is_one_without_its_text()
    {
        await using var worker = await WorkerUnderTest.StartAsync(
            servers.RabbitMq,
            servers.Postgres,
            settings: [("Logging__Console__FormatterName", "json")]
        );
        await using var tap = await EventTap.OpenAsync(servers.RabbitMq.Port, worker.VirtualHost);
        await tap.PublishAsync(Job("Secret words of a prompt"));
        await tap.PublishAsync(Job("Secret words of a prompt", model: "nobody"));
        await tap.WaitForAsync(2);

        var (exitCode, log) = await worker.StopAsync(TimeSpan.FromSeconds(30));

        exitCode.ShouldBe(0, log);
        var entries = log.Trim().Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var ends = entries
            .Where(entry => entry.GetProperty("EventId").GetInt32() == 2100)
            .Select(entry => entry.GetProperty("State"))
            .ToList();
        ends.Count.ShouldBe(2, log);
        var completed = ends.Single(end => end.GetProperty("Outcome").GetString() == "completed");
        completed.GetProperty("Tokens").GetInt32().ShouldBe(8);
        completed.GetProperty("Milliseconds").GetDouble().ShouldBeGreaterThan(0);
        completed.TryGetProperty("Acceptance", out _).ShouldBeTrue();
        ends.ShouldContain(end => end.GetProperty("Outcome").GetString() == "failed (model_not_found)");
        log.ShouldNotContain("Secret words");
    }

    [Fact]
    public async Task An_outage_of_the_database_or_the_broker_is_a_line_when_it_begins_and_one_when_it_is_over()
    {
        await using var worker = await WorkerUnderTest.StartAsync(servers.RabbitMq, servers.Postgres);

        await servers.Postgres.Server.StopAsync();
        await LoggedAsync(worker, "Waiting; jobs stay in the broker");
        await servers.Postgres.Server.RestartAsync();
        await LoggedAsync(worker, "The database is back after");
        await servers.RabbitMq.Server.StopAsync();
        await LoggedAsync(worker, "Waiting for the broker");
        await servers.RabbitMq.Server.RestartAsync();
        await LoggedAsync(worker, "The broker is back after");
        var (_, log) = await worker.StopAsync(TimeSpan.FromSeconds(60));

        foreach (var line in (string[])["Waiting; jobs stay", "The database is back", "Waiting for the broker", "The broker is back"])
        {
            Regex.Count(log, Regex.Escape(line)).ShouldBe(1, log);
        }

        log.ShouldNotContain("   at ");
        log.ShouldNotContain("MassTransit");
        log.ShouldNotContain("HealthChecks");
        log.Split('\n').ShouldAllBe(line => line.Length < 600);
    }

    private static string Job(string prompt, string model = "dsde-demo") =>
        JsonSerializer.Serialize(
            new
            {
                jobId = Guid.NewGuid(),
                model,
                prompt,
                maxTokens = 8,
                ignoreEos = true,
            }
        );

    private static async Task LoggedAsync(WorkerUnderTest worker, string words)
    {
        for (var start = TimeProvider.System.GetTimestamp(); !worker.Log.Contains(words, StringComparison.Ordinal); )
        {
            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(60), $"{words}:\n{worker.Log}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
