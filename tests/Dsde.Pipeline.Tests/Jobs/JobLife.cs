using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Persistence.Migrating;
using Dsde.Persistence.Upkeep;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>
/// What a job meets: a real database in a file, any number of workers on it, and a clock that only moves when a test says so.
/// </summary>
internal sealed class JobLife : IAsyncDisposable
{
    /// <summary>What EF Core knows of the migrations is one for the process, and is not made for two that ask for it at once.</summary>
    private static readonly SemaphoreSlim Migrating = new(1);

    private readonly ScratchFolder _folder = new("jobs");
    private readonly List<TestWorker> _workers = [];
    private readonly ServiceProvider _services;

    private JobLife()
    {
        _services = new ServiceCollection()
            .AddSingleton<TimeProvider>(Time)
            .AddLogging()
            .AddDsdePersistence(
                new PersistenceOptions { Provider = PersistenceOptions.Sqlite, ConnectionString = $"Data Source={Folder}/dsde.db" }
            )
            .BuildServiceProvider();
    }

    /// <summary>Where the database is, and what else a test writes.</summary>
    public string Folder => _folder.Path;

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    public IJobStore Store => _services.GetRequiredService<IJobStore>();

    public IDatabaseUpkeep Upkeep => _services.GetRequiredService<IDatabaseUpkeep>();

    public static async Task<JobLife> CreateAsync()
    {
        var life = new JobLife();
        await Migrating.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            await life._services.GetRequiredService<IDatabaseMigrator>().MigrateAsync(TestContext.Current.CancellationToken);
        }
        finally
        {
            Migrating.Release();
        }

        return life;
    }

    /// <summary>A plain job.</summary>
    public static SubmitGenerationJob Job() =>
        new()
        {
            JobId = Guid.NewGuid(),
            Model = "dsde-demo",
            Prompt = "a",
            Metadata = new Dictionary<string, string> { ["workload"] = "test" },
        };

    /// <summary>A worker like any other.</summary>
    public TestWorker CreateWorker(IGenerationEngine engine, WorkerOptions? options = null, Func<IJobStore, IJobStore>? wrap = null)
    {
        var worker = new TestWorker(wrap?.Invoke(Store) ?? Store, Time, engine, options, $"worker-{_workers.Count}");
        _workers.Add(worker);
        return worker;
    }

    /// <summary>A worker whose engine does what the test says.</summary>
    public TestWorker CreateWorker(
        Func<GenerationRequest, CancellationToken, Task<GenerationResult>> generate,
        WorkerOptions? options = null
    ) => CreateWorker(new ScriptedEngine(generate), options);

    /// <summary>A claim by a worker that is not heard of again: its start is lost once its lease has run out.</summary>
    public async Task<ClaimResult.Claimed> ClaimAndDieAsync(SubmitGenerationJob job)
    {
        var claimed = await StartAsync(job);
        Time.Advance(TimeSpan.FromMinutes(2));
        return claimed;
    }

    /// <summary>A claim by some other worker, which lets the job into its engine.</summary>
    public async Task<ClaimResult.Claimed> StartAsync(SubmitGenerationJob job)
    {
        var claimed = await ClaimAsync(job);
        await Store.MarkAsync(claimed.Lease, JobPlace.Inside, TestContext.Current.CancellationToken);
        return claimed;
    }

    /// <summary>A claim by some other worker.</summary>
    public async Task<ClaimResult.Claimed> ClaimAsync(SubmitGenerationJob job)
    {
        var claim = new JobDelivery(job, JobLane.Bulk).ToClaim(new WorkerIdentity($"other-{Guid.NewGuid():N}"), new WorkerOptions());
        return (await Store.ClaimAsync(claim, TestContext.Current.CancellationToken)).ShouldBeOfType<ClaimResult.Claimed>();
    }

    /// <summary>A job as it is stored.</summary>
    public async Task<StoredJob> FindAsync(Guid jobId) =>
        (await Store.FindAsync([jobId], TestContext.Current.CancellationToken)).ShouldHaveSingleItem();

    /// <summary>A number that the database answers.</summary>
    public async Task<long> QueryAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={Folder}/dsde.db");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new SqliteCommand(sql, connection);
        return (long?)await command.ExecuteScalarAsync(TestContext.Current.CancellationToken) ?? 0;
    }

    /// <summary>Lets time pass until something that waits for it has happened.</summary>
    public async Task<T> PassTimeUntilAsync<T>(Task<T> task)
    {
        while (!task.IsCompleted)
        {
            Time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.WhenAny(task, Task.Delay(1, TestContext.Current.CancellationToken));
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }

        return await task;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _workers)
        {
            await worker.DisposeAsync();
        }

        await _services.DisposeAsync();
        await _folder.DisposeAsync();
    }
}
