using Dsde.Contracts;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Chaos;

/// <summary>
/// A job that takes its worker down. Seen from outside it is one whose worker dies whenever the engine has it; so a supervisor kills the
/// worker as soon as the row says that it has, and starts it again, as an orchestrator does.
/// </summary>
public sealed class KillerJobTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const int NeighbourCount = 6;

    [Fact]
    public async Task A_job_that_kills_its_workers_is_given_up_after_three_starts_lost_alone_and_its_neighbours_complete()
    {
        var settings = await WorkerUnderTest.CreateSiteAsync(
            rabbitMq,
            postgres,
            ("Dsde__Worker__CheckpointTokens", "100000"),
            ("Dsde__Worker__LeaseSeconds", "5"),
            ("Dsde__Worker__LostStartsBeforeNarrowing", "2"),
            ("Dsde__Engine__BatchSize", "4")
        );
        var connectionString = settings.Last(setting => setting.Name == "Dsde__Persistence__ConnectionString").Value;
        var virtualHost = settings.Last(setting => setting.Name == "Dsde__RabbitMq__VirtualHost").Value;
        var killer = Guid.NewGuid();
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, virtualHost);

        // Each time that the engine has it: among others, then, having lost two starts, beside one, and then alone. A seventh time the
        // engine must not get it: there it would complete.
        await using var supervisor = new Supervisor(
            settings,
            $"""
            SELECT count(*) FROM generation_jobs
            WHERE job_id = '{killer}' AND state = 'running' AND attempt <= 6 AND is_started
            """
        );
        await supervisor.StartAsync();
        await tap.PublishAsync(CreateJob(killer, 0));
        for (var number = 1; number <= NeighbourCount; number++)
        {
            await tap.PublishAsync(CreateJob(Guid.NewGuid(), number));
        }

        await tap.WaitUntilAsync(
            () => tap.Events.Select(item => item.Message.GetProperty("jobId").GetString()).Distinct().Count() == NeighbourCount + 1,
            TimeSpan.FromSeconds(240)
        );

        supervisor.Kills.ShouldBe(6); // twice among others, once beside one, three times alone
        var lost = (
            await Rows.ReadAsync(
                connectionString,
                $"SELECT state, failure_code, failure_retryable FROM generation_jobs WHERE job_id = '{killer}'"
            )
        ).ShouldHaveSingleItem();
        lost[0].ShouldBe("failed");
        lost[1].ShouldBe("worker_lost");
        var failure = tap.Events.Where(item => item.Type == "GenerationJobFailed").ShouldHaveSingleItem().Message;
        failure.GetProperty("jobId").GetString().ShouldBe(killer.ToString());
        failure.GetProperty("code").GetString().ShouldBe("worker_lost");
        (await Rows.CountAsync(connectionString, "SELECT count(*) FROM generation_jobs WHERE state = 'completed'")).ShouldBe(
            NeighbourCount
        );
        var dead = await tap.TakeAsync(RawProducer.Errors);
        System.Text.Encoding.UTF8.GetString(dead.Body.Span).ShouldContain(killer.ToString());
        System.Text.Encoding.UTF8.GetString((byte[])dead.BasicProperties.Headers!["MT-Fault-Message"]!).ShouldContain("worker_lost");
        await rabbitMq.WaitUntilEmptyAsync(virtualHost, RawProducer.Jobs);
    }

    private static string CreateJob(Guid id, int number) =>
        $$"""{"jobId":"{{id}}","model":"dsde-demo","prompt":"Story: Once there were {{number + 2}} foxes","maxTokens":800"""
        + $$""","ignoreEos":true,"seed":{{number}}}""";

    /// <summary>Runs a worker, kills it whenever a question to the database has the answer one, and starts it again.</summary>
    private sealed class Supervisor(IReadOnlyList<(string Name, string Value)> settings, string question) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _end = new();
        private WorkerUnderTest? _worker;
        private Task _watching = Task.CompletedTask;

        public int Kills { get; private set; }

        public async Task StartAsync()
        {
            _worker = await WorkerUnderTest.StartAsync(settings);
            _watching = WatchAsync(_worker);
        }

        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            await _watching;
            if (_worker is not null)
            {
                await _worker.DisposeAsync();
            }

            _end.Dispose();
        }

        private async Task WatchAsync(WorkerUnderTest worker)
        {
            while (!_end.IsCancellationRequested)
            {
                // Only what this worker runs counts: after its death the row says running for a while.
                if (await Rows.CountAsync(worker.ConnectionString, $"{question} AND worker_id = '{worker.WorkerId}'") == 1)
                {
                    await worker.KillAsync();
                    Kills++;
                    await worker.DisposeAsync();
                    _worker = worker = await WorkerUnderTest.StartAsync(settings, untilReady: false);
                }

                await Task.Delay(25);
            }
        }
    }
}
