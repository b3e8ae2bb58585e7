using System.Collections.Concurrent;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Chaos;

/// <summary>
/// Breaks things and puts them together again: two workers of one model, later one of another, the broker, the database; never the same
/// one twice at a time, but several at once.
/// </summary>
internal sealed class ChaosMonkey(
    ChaosPlan plan,
    BreakableServers servers,
    IReadOnlyList<(string Name, string Value)> settings,
    Action<string> log
) : IAsyncDisposable
{
    /// <summary>A worker is paused for longer than its claims hold.</summary>
    private const int PauseSeconds = 7;
    private const int OutageSeconds = 6;
    private const int LongOutageSeconds = 60;
    private const int MostAtOnce = 2;
    private const int FirstModelsWorkers = 2;

    private readonly Random _random = new(plan.Seed);
    private readonly List<WorkerUnderTest> _workers = [];
    private readonly Dictionary<string, Task> _busy = [];
    private readonly ConcurrentQueue<string> _troubles = [];
    private int _done;
    private int _brokenServers;

    /// <summary>How often something was broken.</summary>
    public int Done => _done;

    /// <summary>What was done how often.</summary>
    public SortedDictionary<string, int> Tally { get; } = new(StringComparer.Ordinal);

    /// <summary>Who runs jobs now.</summary>
    public IReadOnlyList<WorkerUnderTest> Workers => _workers;

    /// <summary>What workers that were replaced have logged of what should not happen.</summary>
    public IEnumerable<string> Troubles => _troubles;

    /// <summary>Starts the workers of the first model.</summary>
    public async Task StartAsync()
    {
        while (_workers.Count < FirstModelsWorkers)
        {
            _workers.Add(await WorkerUnderTest.StartAsync(SettingsOf(_workers.Count)));
        }
    }

    /// <summary>Starts the worker of the second model, for which jobs wait by then. It waits itself for what is away.</summary>
    public async Task StartOtherAsync() =>
        _workers.Add(await WorkerUnderTest.StartAsync(SettingsOf(FirstModelsWorkers), untilReady: false));

    /// <summary>Takes note of what is whole again; throws what went wrong in breaking and mending it.</summary>
    public async Task LookAsync()
    {
        foreach (var (component, task) in _busy.Where(entry => entry.Value.IsCompleted).ToList())
        {
            _busy.Remove(component);
            await task;
        }
    }

    /// <summary>
    /// Breaks something that is whole; returns at once if enough is broken, otherwise when it is broken, maybe before it is whole again.
    /// </summary>
    public async Task<bool> TryBreakAsync()
    {
        await LookAsync();
        string[] free =
        [
            .. _workers
                .Select((_, index) => $"worker {index}")
                .Append("broker")
                .Append("database")
                .Where(component => !_busy.ContainsKey(component)),
        ];
        if (_busy.Count >= MostAtOnce)
        {
            return false;
        }

        var chosen = free[_random.Next(free.Length)];
        var deeds = chosen switch
        {
            "broker" => BrokerDeeds(),
            "database" => DatabaseDeeds(),
            _ => WorkerDeeds(chosen[^1] - '0'),
        };
        var (name, deed) = deeds[_random.Next(deeds.Length)];
        var pause = TimeSpan.FromMilliseconds(_random.Next(2000));
        log($"{++_done}: {chosen}: {name}");
        var kind = $"{chosen.Split(' ')[0]}: {name}";
        Tally[kind] = Tally.GetValueOrDefault(kind) + 1;
        _busy[chosen] = Task.Run(() => chosen is "broker" or "database" ? BreakServerAsync(() => deed(pause)) : deed(pause));
        return true;
    }

    /// <summary>Waits until everything is whole again.</summary>
    public async Task MendAsync()
    {
        await Task.WhenAll(_busy.Values);
        _busy.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_busy.Values).ContinueWith(_ => { }, TaskScheduler.Default); // after a failure; which is told already
        foreach (var worker in _workers)
        {
            await worker.DisposeAsync();
        }
    }

    private (string Name, Func<TimeSpan, Task> Deed)[] WorkerDeeds(int index) =>
        [
            (
                "killed",
                async pause =>
                {
                    await _workers[index].KillAsync();
                    await Task.Delay(pause);
                    await ReplaceAsync(index);
                }
            ),
            (
                "killed twice",
                async pause =>
                {
                    await _workers[index].KillAsync();
                    await ReplaceAsync(index, untilReady: false);
                    await Task.Delay(pause);
                    await _workers[index].KillAsync();
                    await ReplaceAsync(index);
                }
            ),
            (
                "told to stop",
                async pause =>
                {
                    var (exitCode, workerLog) = await _workers[index].StopAsync(TimeSpan.FromSeconds(60));
                    exitCode.ShouldBe(0, workerLog);
                    await Task.Delay(pause);
                    await ReplaceAsync(index);
                }
            ),
            (
                "paused past its claims",
                async _ =>
                {
                    await _workers[index].PauseAsync();
                    await Task.Delay(TimeSpan.FromSeconds(PauseSeconds));
                    await _workers[index].ContinueAsync();
                }
            ),
        ];

    private (string Name, Func<TimeSpan, Task> Deed)[] BrokerDeeds() =>
        [
            (
                "killed",
                async pause =>
                {
                    await servers.RabbitMq.Server.KillAsync();
                    await Task.Delay(pause);
                    await servers.RabbitMq.Server.RestartAsync();
                }
            ),
            (
                "restarted",
                async pause =>
                {
                    await servers.RabbitMq.Server.StopAsync();
                    await Task.Delay(pause);
                    await servers.RabbitMq.Server.RestartAsync();
                }
            ),
            (
                "connections cut",
                _ => servers.RabbitMq.CutConnectionsAsync(settings.Last(setting => setting.Name == "Dsde__RabbitMq__VirtualHost").Value)
            ),
        ];

    private (string Name, Func<TimeSpan, Task> Deed)[] DatabaseDeeds() =>
        [
            (
                "killed",
                async pause =>
                {
                    await servers.Postgres.Server.KillAsync();
                    await Task.Delay(pause);
                    await servers.Postgres.Server.RestartAsync();
                }
            ),
            (
                "restarted",
                async pause =>
                {
                    await servers.Postgres.Server.StopAsync();
                    await Task.Delay(pause);
                    await servers.Postgres.Server.RestartAsync();
                }
            ),
            (
                "connections cut",
                _ =>
                    servers.Postgres.CutConnectionsAsync(
                        settings.Last(setting => setting.Name == "Dsde__Persistence__ConnectionString").Value
                    )
            ),
            (
                "away",
                async pause =>
                {
                    await servers.Postgres.Server.StopAsync();
                    await Task.Delay(
                        TimeSpan.FromSeconds(plan.IsLong && pause.TotalMilliseconds < 400 ? LongOutageSeconds : OutageSeconds)
                    );
                    await servers.Postgres.Server.RestartAsync();
                }
            ),
        ];

    /// <summary>While a server is broken no worker can be ready.</summary>
    private async Task BreakServerAsync(Func<Task> deed)
    {
        Interlocked.Increment(ref _brokenServers);
        try
        {
            await deed();
        }
        finally
        {
            Interlocked.Decrement(ref _brokenServers);
        }
    }

    /// <summary>A worker can't start without its database, and is not ready without its broker, but waits for both.</summary>
    private async Task ReplaceAsync(int index, bool untilReady = true)
    {
        foreach (var line in _workers[index].Log.Split('\n').Where(line => line.Contains(" fail: ") || line.Contains(" crit: ")))
        {
            _troubles.Enqueue($"{_workers[index].WorkerId}: {line}");
        }

        await _workers[index].DisposeAsync();
        _workers[index] = await WorkerUnderTest.StartAsync(SettingsOf(index), untilReady: false);
        if (untilReady)
        {
            await _workers[index].WaitUntilReadyAsync(isExcused: () => Volatile.Read(ref _brokenServers) > 0);
        }
    }

    private IReadOnlyList<(string Name, string Value)> SettingsOf(int index) =>
        [.. settings, .. ChaosJobs.Models[index < FirstModelsWorkers ? "dsde-demo" : ChaosJobs.Small]];
}
