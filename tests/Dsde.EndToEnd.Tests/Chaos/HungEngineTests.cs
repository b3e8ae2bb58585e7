using System.Net;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Chaos;

/// <summary>
/// A worker whose engine hangs: its thread stands still, as in a native call that never returns, and everything else in the process goes
/// on.
/// </summary>
public sealed class HungEngineTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const string EngineThread = "dsde-engine";
    private const int JobCount = 6;

    [Fact]
    public async Task A_worker_whose_engine_hangs_is_not_live_and_ends_and_another_one_does_its_jobs()
    {
        await using var hanging = await WorkerUnderTest.StartAsync(
            rabbitMq,
            postgres,
            settings: [("Dsde__Worker__EngineStallSeconds", "10"), ("Dsde__Engine__BatchSize", $"{JobCount}")]
        );
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, hanging.VirtualHost);
        await tap.PublishAsync(Job()); // it has worked before
        await tap.WaitForAsync(1);
        await hanging.FreezeAsync(EngineThread);
        for (var number = 0; number < JobCount; number++)
        {
            await tap.PublishAsync(Job());
        }

        await Rows.WaitAsync(hanging.ConnectionString, $"SELECT count(*) = {JobCount} FROM generation_jobs WHERE state = 'running'");
        await using var other = await hanging.StartAnotherAsync();
        var (status, text) = await WaitUntilNotLiveAsync(hanging);
        await tap.WaitForAsync(1 + JobCount);

        status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        text.ShouldContain("hangs");
        var (exitCode, log) = await hanging.WaitForExitAsync(TimeSpan.FromSeconds(30));
        exitCode.ShouldBe(2, log);
        log.ShouldContain("The engine hangs");
        tap.Events.ShouldAllBe(told => told.Type == "GenerationJobCompleted");
        tap.Events.DistinctBy(told => told.MessageId).Count().ShouldBe(1 + JobCount);
        (await Rows.ReadAsync(hanging.ConnectionString, "SELECT worker_id, count(*) FROM generation_jobs GROUP BY 1 ORDER BY 2"))
            .Select(row => (row[0], row[1]))
            .ShouldBe([(hanging.WorkerId, 1L), (other.WorkerId, (long)JobCount)]);
        await rabbitMq.WaitUntilEmptyAsync(hanging.VirtualHost, RawProducer.Jobs);
    }

    private static async Task<(HttpStatusCode? Status, string Text)> WaitUntilNotLiveAsync(WorkerUnderTest worker)
    {
        for (var start = TimeProvider.System.GetTimestamp(); ; await Task.Delay(50, TestContext.Current.CancellationToken))
        {
            var health = await worker.ReadHealthAsync("live");
            if (health.Status != HttpStatusCode.OK)
            {
                return health;
            }

            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(60), "It is still live.");
        }
    }

    private static string Job() =>
        $$"""{"jobId":"{{Guid.NewGuid()}}","model":"dsde-demo","prompt":"Story: Once there was a fox","maxTokens":50,"ignoreEos":true}""";
}
