using System.Net;
using System.Text.RegularExpressions;
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

    /// <summary>A hang is many times the longest step so far, which takes seconds on a busy machine.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task A_worker_whose_engine_hangs_is_not_live_and_ends_and_another_one_does_its_jobs()
    {
        await using var hanging = await WorkerUnderTest.StartAsync(
            rabbitMq,
            postgres,
            settings:
            [
                ("Dsde__Worker__EngineStallSeconds", "10"),
                ("Dsde__Worker__CheckpointTokens", "50"),
                ("Dsde__Engine__BatchSize", $"{JobCount}"),
                ("DOTNET_GCgen0size", "400000"), // 4 MiB in hex: garbage is collected often, and a bad moment to freeze shows at once
            ]
        );
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, hanging.VirtualHost);
        for (var number = 0; number < JobCount; number++)
        {
            await tap.PublishAsync(Job(number));
        }

        await Rows.WaitAsync(hanging.ConnectionString, $"SELECT count(*) = {JobCount} FROM job_checkpoints");
        await hanging.FreezeAsync(EngineThread);
        tap.Events.ShouldBeEmpty("Jobs ended before the engine was stopped, so nothing was tried.");
        await using var other = await hanging.StartAnotherAsync();
        var (status, text) = await WaitUntilNotLiveAsync(hanging);
        await tap.WaitForAsync(JobCount);

        if (status is not null) // a worker that has ended before it could be asked is not live either
        {
            status.ShouldBe(HttpStatusCode.ServiceUnavailable);
            text.ShouldContain("hangs");
        }

        var (exitCode, log) = await hanging.WaitForExitAsync(TimeSpan.FromSeconds(30));
        exitCode.ShouldBe(2, log);
        log.ShouldContain("The engine hangs");
        tap.Events.ShouldAllBe(told => told.Type == "GenerationJobCompleted");
        tap.Events.DistinctBy(told => told.MessageId).Count().ShouldBe(JobCount);
        (await Rows.ReadAsync(hanging.ConnectionString, "SELECT worker_id, attempt, count(*) FROM generation_jobs GROUP BY 1, 2"))
            .ShouldHaveSingleItem()
            .ShouldBe([other.WorkerId, 2, (long)JobCount]);
        Regex.Count(other.Log, "is taken over in attempt 2, from [1-9]").ShouldBe(JobCount, other.Log);
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

            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(Patience, "It is still live.");
        }
    }

    private static string Job(int number) =>
        $$"""{"jobId":"{{Guid.NewGuid()}}","model":"dsde-demo","prompt":"Story: Once there were {{number + 2}} foxes","maxTokens":900"""
        + $$""","ignoreEos":true,"seed":{{number}}}""";
}
