using System.Net;
using Dsde.Contracts;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Chaos;

/// <summary>
/// The database is stopped while jobs run and wait: nothing is taken to its end without it, nothing fails, and everything goes on by
/// itself.
/// </summary>
public sealed class DatabaseOutageTests(RabbitMqServer rabbitMq, BreakablePostgres postgres) : IClassFixture<BreakablePostgres>
{
    private const int JobCount = 60;

    [Fact]
    public async Task Without_the_database_jobs_wait_in_the_broker_the_worker_says_so_and_afterwards_all_complete()
    {
        var outage = TimeSpan.FromSeconds(ChaosPlan.Read().IsLong ? 60 : 15);
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres, settings: [("Dsde__Engine__BatchSize", "4")]);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        using var folder = new ScratchFolder();
        (
            await DsdeProgram.RunAsync(worker.Environment, "submit", ChaosJobs.WriteOfOneModel(folder.Path, "jobs.jsonl", JobCount))
        ).ExitCode.ShouldBe(0);
        await tap.WaitForAsync(3);

        await postgres.Server.StopAsync();
        var away = TimeProvider.System.GetTimestamp();
        await WaitForHealthAsync(worker, HttpStatusCode.ServiceUnavailable, "database: Unhealthy");
        var told = tap.Events.Count;
        // the outage itself is what is tried
        await Task.Delay(outage - TimeProvider.System.GetElapsedTime(away), TestContext.Current.CancellationToken);
        worker.HasExited.ShouldBeFalse(worker.Log);
        (tap.Events.Count - told).ShouldBeLessThan(
            8,
            "Hardly anything can have been stored when the database went, so hardly anything can be told."
        );
        var waiting =
            await rabbitMq.CountMessagesAsync(worker.VirtualHost, RawProducer.Jobs)
            + await rabbitMq.CountMessagesAsync(worker.VirtualHost, RawProducer.High);
        waiting.ShouldBeGreaterThanOrEqualTo(JobCount - tap.Events.Count);
        await postgres.Server.RestartAsync();

        await tap.WaitUntilAsync(
            () => tap.Events.Select(item => item.MessageId).Distinct().Count() == JobCount + 1,
            TimeSpan.FromSeconds(60)
        );
        tap.Events.ShouldAllBe(item => item.Type == "GenerationJobCompleted" || item.Type == "GenerationBatchCompleted");
        await WaitForHealthAsync(worker, HttpStatusCode.OK, "Healthy");
        (await Rows.ReadAsync(worker.ConnectionString, "SELECT state, attempt FROM generation_jobs")).ShouldAllBe(row =>
            "completed".Equals(row[0]) && 1.Equals(row[1])
        );
        await rabbitMq.WaitUntilEmptyAsync(worker.VirtualHost, RawProducer.Jobs);
        await tap.ShouldBeEmptyAsync(RawProducer.Errors);
    }

    private static async Task WaitForHealthAsync(WorkerUnderTest worker, HttpStatusCode status, string text)
    {
        var patience = TimeProvider.System.GetTimestamp();
        while (
            await worker.ReadHealthAsync() is var health
            && (health.Status != status || !health.Text.Contains(text, StringComparison.Ordinal))
        )
        {
            TimeProvider.System.GetElapsedTime(patience).ShouldBeLessThan(TimeSpan.FromSeconds(60), health.Text);
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }
}
