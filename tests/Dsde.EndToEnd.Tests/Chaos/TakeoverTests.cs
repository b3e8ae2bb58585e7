using System.Globalization;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Chaos;

/// <summary>What becomes of the jobs of a worker that is killed, and of those that nobody had begun.</summary>
public sealed class TakeoverTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const int JobCount = 60;
    private const int Lease = 15;

    private static readonly TimeSpan LongestStandstill = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestTakeover = TimeSpan.FromSeconds(Lease + 5);

    private static readonly (string, string)[] Settings =
    [
        ("Dsde__Worker__LeaseSeconds", $"{Lease}"),
        ("Dsde__Engine__BatchSize", "4"),
        ("Dsde__Worker__PrefetchMargin", "2"),
    ];

    [Fact]
    public async Task When_one_of_two_workers_is_killed_the_other_never_stands_still_while_jobs_can_run_and_takes_over_soon()
    {
        await using var doomed = await WorkerUnderTest.StartAsync(rabbitMq, postgres, settings: Settings);
        await using var survivor = await doomed.StartAnotherAsync();
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, doomed.VirtualHost);
        var publishing = PublishAsync(tap); // on a busy machine the first jobs have ended before the last ones are sent
        await Rows.WaitAsync(doomed.ConnectionString, $"SELECT count(*) >= 4 FROM generation_jobs WHERE {IsRunningAt(doomed)}");

        await doomed.KillAsync();
        var killedAt = await NowAsync(doomed);
        var orphans = await Rows.ReadAsync(doomed.ConnectionString, $"SELECT job_id FROM generation_jobs WHERE {IsRunningAt(doomed)}");
        await publishing;
        var standstill = await MeasureStandstillAsync(survivor);

        await tap.WaitUntilAsync(() => tap.Events.DistinctBy(item => item.JobId).Count() == JobCount, LongestTakeover);
        tap.Events.ShouldAllBe(item => item.Type == "GenerationJobCompleted");
        var resumed = await ResumedAfterAsync(doomed, killedAt, orphans);
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{orphans.Count} orphans; longest standstill {standstill.TotalSeconds:F1} s; went on after {resumed.TotalSeconds:F1} s"
            )
        );
        standstill.ShouldBeLessThan(LongestStandstill);
        resumed.ShouldBeLessThan(LongestTakeover);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_worker_that_is_killed_and_started_again_goes_on_with_its_jobs_soon(bool underTheSameName)
    {
        await using var killed = await WorkerUnderTest.StartAsync(rabbitMq, postgres, settings: Settings);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, killed.VirtualHost);
        var publishing = PublishAsync(tap);
        await Rows.WaitAsync(killed.ConnectionString, $"SELECT count(*) >= 4 FROM generation_jobs WHERE {IsRunningAt(killed)}");
        await killed.KillAsync();
        var orphans = await Rows.ReadAsync(killed.ConnectionString, $"SELECT job_id FROM generation_jobs WHERE {IsRunningAt(killed)}");
        await publishing;

        var name = underTheSameName ? killed.WorkerId : $"{killed.WorkerId}-again";
        await using var again = await killed.StartAnotherAsync(("Dsde__Worker__WorkerId", name));
        var startedAt = await NowAsync(killed);

        var standstill = await MeasureStandstillAsync(again);
        await tap.WaitUntilAsync(() => tap.Events.DistinctBy(item => item.JobId).Count() == JobCount, LongestTakeover);
        standstill.ShouldBeLessThan(LongestStandstill);
        (await ResumedAfterAsync(killed, startedAt, orphans)).ShouldBeLessThan(LongestTakeover);
    }

    [Fact]
    public async Task While_a_frozen_worker_has_jobs_the_metric_and_the_health_of_another_say_that_they_wait()
    {
        // Its claims outlast the start of the other, however busy the machine is.
        await using var frozen = await WorkerUnderTest.StartAsync(
            rabbitMq,
            postgres,
            settings: [.. Settings, ("Dsde__Worker__LeaseSeconds", "300")]
        );
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, frozen.VirtualHost);
        string[] jobs = [.. Enumerable.Range(0, 4).Select(number => CreateJob(number, 800))];
        foreach (var job in jobs)
        {
            await tap.PublishAsync(job);
        }

        await Rows.WaitAsync(frozen.ConnectionString, $"SELECT count(*) = 4 FROM generation_jobs WHERE {IsRunningAt(frozen)}");
        await frozen.PauseAsync();
        await using var other = await frozen.StartAnotherAsync();
        foreach (var job in jobs)
        {
            await tap.PublishAsync(job); // the broker keeps the first copies for the frozen worker
        }

        while (await other.ReadMetricAsync("dsde_jobs_waiting_for_claim") == 0)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        (await other.ReadHealthAsync()).Text.ShouldContain("for another worker's claim to end or to run out");
        await frozen.ContinueAsync();
        await tap.WaitForAsync(jobs.Length);
    }

    private static string CreateJob(int number, int tokens) =>
        $$"""
        {"jobId":"{{Guid.NewGuid()}}","model":"dsde-demo","prompt":"Story: Once there were {{number
            + 2}} foxes","maxTokens":{{tokens}},"ignoreEos":true,"seed":{{number}}}
        """;

    private static async Task PublishAsync(EventTap tap)
    {
        foreach (var number in Enumerable.Range(0, JobCount))
        {
            await tap.PublishAsync(CreateJob(number, 150));
        }
    }

    private static string IsRunningAt(WorkerUnderTest worker) => $"state = 'running' AND worker_id = '{worker.WorkerId}'";

    private static async Task<DateTime> NowAsync(WorkerUnderTest worker) =>
        (DateTime)(await Rows.ReadAsync(worker.ConnectionString, "SELECT clock_timestamp()"))[0][0]!;

    /// <summary>How long it took until the last of the orphans was claimed again.</summary>
    private static async Task<TimeSpan> ResumedAfterAsync(WorkerUnderTest site, DateTime from, List<object?[]> orphans)
    {
        orphans.ShouldNotBeEmpty("All jobs had ended before their worker was killed, so nothing was tried.");
        var ids = string.Join(",", orphans.Select(row => $"'{row[0]}'"));
        var last = await Rows.ReadAsync(site.ConnectionString, $"SELECT max(started_at) FROM generation_jobs WHERE job_id IN ({ids})");
        return (DateTime)last[0][0]! - from;
    }

    /// <summary>
    /// The longest time in which the worker's engine had nothing to do, from its first iteration until every job has been begun. A machine
    /// so busy that an iteration takes seconds is no standstill: then the engine has sequences.
    /// </summary>
    private static async Task<TimeSpan> MeasureStandstillAsync(WorkerUnderTest worker)
    {
        var (longest, iterations, since) = (TimeSpan.Zero, -1.0, 0L);
        while (await Rows.CountAsync(worker.ConnectionString, "SELECT count(*) FROM generation_jobs") < JobCount)
        {
            var metrics = await worker.ReadMetricsAsync();
            var (done, running) = (
                WorkerUnderTest.FindMetric(metrics, "dsde_iterations_total"),
                WorkerUnderTest.FindMetric(metrics, "dsde_sequences_running")
            );
            var at = TimeProvider.System.GetTimestamp();
            if (done == 0 || done > iterations || running > 0)
            {
                (iterations, since) = (done, at);
            }
            else if (TimeProvider.System.GetElapsedTime(since, at) is var still && still > longest)
            {
                longest = still;
            }

            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        return longest;
    }
}
