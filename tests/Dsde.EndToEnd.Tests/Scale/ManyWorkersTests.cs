using System.Globalization;
using System.Text.Json;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Scale;

/// <summary>
/// What docs/scale.md promises of many workers, with twenty processes whose engine answers at once: all that is left is broker, database
/// and pipeline.
/// </summary>
public sealed class ManyWorkersTests(RabbitMqServer rabbitMq, ITestOutputHelper output)
{
    private const int WorkerCount = 20;
    private const int JobCount = 4000;
    private const int SentTwice = 400;
    private const int AtOnce = 4;
    private const int PoolSize = 4;
    private const int PresenceConnections = 1; // that by whose end the others see a worker's death
    private const string Model = "dsde-bench";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Twenty_workers_lose_no_job_double_none_and_keep_to_their_connections()
    {
        await using var postgres = new PostgresServer();
        await postgres.InitializeAsync(); // its connections are counted
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        var database = site.Single(setting => setting.Name == "Dsde__Persistence__ConnectionString").Value;
        await using var workers = new Fleet();
        // By their names, the workers' connections are told from this test's own.
        var named = $"{database};Maximum Pool Size={PoolSize};Application Name=dsde worker";
        await workers.StartAsync([.. site, ("Dsde__Persistence__ConnectionString", named)]);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, workers.All[0].VirtualHost);
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, workers.All[0].VirtualHost);
        await using var connections = new ConnectionWatch(database);
        var jobs = Enumerable.Range(0, JobCount).Select(_ => Guid.NewGuid()).ToList();

        var written = await ReadWrittenAsync(database);
        var start = TimeProvider.System.GetTimestamp();
        foreach (var some in jobs.Concat(jobs[..SentTwice]).Chunk(200))
        {
            await Task.WhenAll(some.Select(id => producer.SendByKeyAsync(Model, Job(id))));
        }

        await tap.WaitUntilAsync(() => tap.Events.Select(item => item.JobId).Distinct().Count() == JobCount, Patience);
        var elapsed = TimeProvider.System.GetElapsedTime(start);
        written = await ReadWrittenAsync(database) - written;
        foreach (
            var queue in new[] { $"{RawProducer.Exchange}.{Model}", "dsde-generation-jobs-held", $"{RawProducer.Exchange}.{Model}.resumed" }
        )
        {
            await producer.WaitForCountAsync(queue, 0, Patience); // a job that came twice may have waited for its other worker
        }

        await workers.StopAsync();

        await ShouldHaveEndedOnceAsync(database);
        tap.Events.Select(item => item.Type).Distinct().ShouldBe(["GenerationJobCompleted"]);
        tap.Events.Select(item => (item.JobId, item.MessageId)).Distinct().Count().ShouldBe(JobCount);
        tap.Events.Select(item => item.JobId!.Value).Distinct().ShouldBe(jobs, ignoreOrder: true);
        await tap.ShouldBeEmptyAsync(
            $"{RawProducer.Exchange}.{Model}",
            $"{RawProducer.Exchange}.{Model}.resumed",
            "dsde-generation-jobs-held",
            RawProducer.Unrouted,
            RawProducer.Parked,
            RawProducer.Errors,
            RawProducer.Dead
        );
        var most = await connections.EndAsync();
        var said = string.Create(
            CultureInfo.InvariantCulture,
            $"{JobCount / elapsed.TotalSeconds:F0} jobs/s, at most {most} connections of {WorkerCount} workers, "
                + $"{written / JobCount} bytes of write-ahead log per job"
        );
        output.WriteLine(said);
        TestContext.Current.SendDiagnosticMessage(said);
        most.ShouldBeInRange(WorkerCount, WorkerCount * (PoolSize + PresenceConnections));
    }

    private static async Task ShouldHaveEndedOnceAsync(string database)
    {
        (await Rows.CountAsync(database, "SELECT count(*) FROM generation_jobs WHERE state = 'completed'")).ShouldBe(JobCount);
        (await Rows.CountAsync(database, "SELECT count(*) FROM generation_jobs")).ShouldBe(JobCount);
        (await Rows.CountAsync(database, "SELECT count(*) FROM job_traces")).ShouldBe(JobCount);
        (await Rows.CountAsync(database, "SELECT count(DISTINCT job_id) FROM job_traces")).ShouldBe(JobCount);
        (await Rows.CountAsync(database, "SELECT count(*) FROM generation_jobs WHERE lost_starts > 0")).ShouldBe(0);
        // Nobody starves beside the others.
        (await Rows.CountAsync(database, "SELECT count(DISTINCT worker_id) FROM generation_jobs")).ShouldBe(WorkerCount);
    }

    /// <summary>Bytes of write-ahead log.</summary>
    private static Task<long> ReadWrittenAsync(string database) => Rows.CountAsync(database, "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn");

    private static string Job(Guid id) =>
        JsonSerializer.Serialize(
            new
            {
                jobId = id,
                model = Model,
                prompt = "Story: Once there was a fox",
                maxTokens = 16,
                temperature = 0,
            }
        );

    /// <summary>All the workers.</summary>
    private sealed class Fleet : IAsyncDisposable
    {
        public List<WorkerUnderTest> All { get; } = [];

        /// <summary>A few at a time: there are fewer processors than workers.</summary>
        public async Task StartAsync(IReadOnlyList<(string Name, string Value)> settings)
        {
            (string, string)[] small = [("DOTNET_PROCESSOR_COUNT", "1"), ("DOTNET_gcConcurrent", "0")];
            while (All.Count < WorkerCount)
            {
                All.AddRange(
                    await Task.WhenAll(
                        Enumerable
                            .Range(0, AtOnce)
                            .Select(_ =>
                                WorkerUnderTest.StartAsync(
                                    [.. settings, .. small],
                                    true,
                                    "bench",
                                    "worker",
                                    "--capacity",
                                    "8",
                                    "--tokens",
                                    "16"
                                )
                            )
                    )
                );
            }
        }

        public async Task StopAsync()
        {
            foreach (var some in All.Chunk(AtOnce))
            {
                var ended = await Task.WhenAll(some.Select(worker => worker.StopAsync(Patience)));
                ended.ShouldAllBe(one => one.ExitCode == 0, string.Concat(ended.Select(one => one.Log)));
            }
        }

        public async ValueTask DisposeAsync() => await Task.WhenAll(All.Select(worker => worker.DisposeAsync().AsTask()));
    }

    /// <summary>Counts the connections to a database, over and over, and keeps the most that there were.</summary>
    private sealed class ConnectionWatch : IAsyncDisposable
    {
        private readonly CancellationTokenSource _end = new();
        private readonly Task<long> _watching;

        public ConnectionWatch(string database) => _watching = Task.Run(() => WatchAsync(database));

        /// <summary>The most there were.</summary>
        public async Task<long> EndAsync()
        {
            await _end.CancelAsync();
            return await _watching;
        }

        public async ValueTask DisposeAsync()
        {
            await EndAsync();
            _end.Dispose();
        }

        private async Task<long> WatchAsync(string database)
        {
            var most = 0L;
            while (!_end.IsCancellationRequested)
            {
                most = Math.Max(
                    most,
                    await Rows.CountAsync(
                        database,
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'dsde %'"
                    )
                );
                await Task.Delay(50, CancellationToken.None);
            }

            return most;
        }
    }
}
