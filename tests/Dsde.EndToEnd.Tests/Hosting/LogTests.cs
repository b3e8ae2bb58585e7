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
        completed.GetProperty("Acceptance").GetDouble().ShouldBeInRange(0, 1);
        completed.GetProperty("Proposed").GetInt32().ShouldBeGreaterThanOrEqualTo(0);
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
        await using (var tap = await EventTap.OpenAsync(servers.RabbitMq.Port, worker.VirtualHost))
        {
            var jobs = Enumerable.Range(0, 8).Select(_ => Guid.NewGuid()).ToList();
            foreach (var job in jobs)
            {
                await tap.PublishAsync(Job("Story: Once there was", jobId: job, tokens: 300)); // to be announced while nobody listens
            }

            await Rows.WaitAsync(worker.ConnectionString, "SELECT count(*) = 8 FROM generation_jobs");
            await servers.RabbitMq.Server.StopAsync();
            await LoggedAsync(worker, "Waiting for the broker");
            await Rows.WaitAsync(worker.ConnectionString, "SELECT count(*) = 8 FROM generation_jobs WHERE state = 'completed'");
            await servers.RabbitMq.Server.RestartAsync();
            await LoggedAsync(worker, "The broker is back after");
            foreach (var job in jobs)
            {
                await tap.WaitForJobAsync(job);
            }
        }

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

    [Theory]
    [InlineData(16)] // and the job has got further
    [InlineData(0)]
    public async Task A_takeover_a_conflict_and_a_cancellation_are_a_line_each(int checkpointTokens)
    {
        await using var killed = await WorkerUnderTest.StartAsync(
            servers.RabbitMq,
            servers.Postgres,
            settings: [("Dsde__Worker__CheckpointTokens", $"{checkpointTokens}")]
        );
        await using var tap = await EventTap.OpenAsync(servers.RabbitMq.Port, killed.VirtualHost);
        var (job, batch) = (Guid.NewGuid(), Guid.NewGuid());
        await tap.PublishAsync(Job("Story: One", jobId: job, tokens: 900));
        await Rows.WaitAsync(
            killed.ConnectionString,
            checkpointTokens > 0 ? "SELECT EXISTS (SELECT 1 FROM job_checkpoints)" : "SELECT EXISTS (SELECT 1 FROM generation_jobs)"
        );
        await killed.KillAsync();

        await using var worker = await killed.StartAnotherAsync();
        await LoggedAsync(worker, "[2101]");
        await tap.PublishToAsync("Dsde.Contracts:CancelGenerationJob", $$"""{"jobId":"{{job}}"}""");
        await tap.PublishToAsync("Dsde.Contracts:CancelGenerationBatch", $$"""{"batchId":"{{batch}}"}""");
        await tap.PublishAsync(Job("Story: Two", jobId: job));
        await LoggedAsync(worker, "[2103]");
        await LoggedAsync(worker, "[2104]");
        await LoggedAsync(worker, "[2102]");
        var (_, log) = await worker.StopAsync(TimeSpan.FromSeconds(60));

        var lines = log.Split('\n');
        lines.ShouldContain(line => line.Contains($"[2101] Job {job} is taken over in attempt 2"), 1, log);
        lines.ShouldContain(line => line.Contains($"[2102] Job {job} was refused"), 1, log);
        lines.ShouldContain(line => line.Contains($"[2103] Job {job} is to be cancelled"), 1, log);
        lines.ShouldContain(line => line.Contains($"[2104] Batch {batch} is to be cancelled"), 1, log);
    }

    private static string Job(string prompt, string model = "dsde-demo", Guid? jobId = null, int tokens = 8) =>
        JsonSerializer.Serialize(
            new
            {
                jobId = jobId ?? Guid.NewGuid(),
                model,
                prompt,
                maxTokens = tokens,
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
