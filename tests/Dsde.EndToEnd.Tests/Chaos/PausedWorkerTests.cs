using Dsde.Contracts;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Chaos;

/// <summary>
/// A worker that stands still for longer than its claims hold, as in a frozen virtual machine, is overtaken, and does no harm when it goes
/// on.
/// </summary>
public sealed class PausedWorkerTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const int JobCount = 6;

    [Fact]
    public async Task A_worker_stopped_past_its_leases_and_continued_neither_stores_nor_publishes_what_another_has_ended()
    {
        await using var paused = await WorkerUnderTest.StartAsync(
            rabbitMq,
            postgres,
            settings:
            [
                ("Dsde__Engine__Numerics", "deterministic"),
                ("Dsde__Worker__CheckpointTokens", "100"),
                ("Dsde__Engine__BatchSize", $"{JobCount}"),
                ("Dsde__Worker__PrefetchMargin", "0"),
            ]
        );
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, paused.VirtualHost);
        string[] jobs = [.. Enumerable.Range(0, JobCount).Select(CreateJob)];
        foreach (var job in jobs)
        {
            await tap.PublishAsync(job);
        }

        await Rows.WaitAsync(paused.ConnectionString, "SELECT count(*) = 6 FROM generation_jobs WHERE state = 'running'");
        await paused.PauseAsync();
        var overtaken = (await Rows.ReadAsync(paused.ConnectionString, "SELECT job_id FROM generation_jobs WHERE state = 'running'"))
            .Select(row => (Guid)row[0]!)
            .ToHashSet();
        overtaken.ShouldNotBeEmpty("All jobs ended before their worker was paused, so nothing was tried.");
        await using var other = await paused.StartAnotherAsync();
        foreach (var job in jobs)
        {
            // the paused worker still has the first copies and its connection to the broker, and its hands full
            await tap.PublishAsync(job);
        }

        await Rows.WaitAsync(paused.ConnectionString, "SELECT count(*) = 6 FROM generation_jobs WHERE state = 'completed'");
        await paused.ContinueAsync();
        await rabbitMq.WaitUntilEmptyAsync(paused.VirtualHost, RawProducer.Jobs); // also of what the paused worker has

        var rows = await Rows.ReadAsync(
            paused.ConnectionString,
            "SELECT j.job_id, j.worker_id, j.attempt, t.worker_id, j.text FROM generation_jobs j JOIN job_traces t USING (job_id)"
        );
        rows.Count.ShouldBe(JobCount);
        rows.Where(row => overtaken.Contains((Guid)row[0]!))
            .ShouldAllBe(row => other.WorkerId.Equals(row[1]) && 2.Equals(row[2]) && other.WorkerId.Equals(row[3]));
        var texts = rows.ToDictionary(row => row[0]!.ToString()!, row => (string)row[4]!);
        await tap.WaitForAsync(JobCount);
        tap.Events.ShouldAllBe(item => item.Type == "GenerationJobCompleted");
        foreach (var events in tap.Events.GroupBy(item => item.Message.GetProperty("jobId").GetString()!))
        {
            events.Select(item => item.MessageId).Distinct().ShouldHaveSingleItem();
            events.Select(item => item.Message.GetRawText()).Distinct().ShouldHaveSingleItem();
            events.First().Message.GetProperty("text").GetString().ShouldBe(texts[events.Key]);
        }
    }

    private static string CreateJob(int number) =>
        $$"""{"jobId":"{{Guid.NewGuid()}}","model":"dsde-demo","prompt":"Story: Once there were {{number + 2}} foxes","maxTokens":900"""
        + $$""","ignoreEos":true,"seed":{{number}}}""";
}
