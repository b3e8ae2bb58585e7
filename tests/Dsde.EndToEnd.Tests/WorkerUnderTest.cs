using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Dsde.EndToEnd.Tests.Chaos;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>A `dsde worker` process on a virtual host and a database of its own, which other workers can share.</summary>
internal sealed partial class WorkerUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan LongestCollection = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(90);
    private static int _lastNumber;

    private readonly Process _process;
    private readonly ProcessLog _log;
    private readonly int _healthPort;
    private bool _isDisposed;

    private WorkerUnderTest(Process process, IReadOnlyList<(string Name, string Value)> environment)
    {
        _process = process;
        _log = new ProcessLog(process);
        Environment = environment;
        _healthPort = int.Parse(ValueOf("Dsde__Worker__HealthPort"), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>The settings, for clients.</summary>
    public IReadOnlyList<(string Name, string Value)> Environment { get; }

    public string VirtualHost => ValueOf("Dsde__RabbitMq__VirtualHost");

    public string ConnectionString => ValueOf("Dsde__Persistence__ConnectionString");

    /// <summary>Who it is in the database.</summary>
    public string WorkerId => ValueOf("Dsde__Worker__WorkerId");

    /// <summary>What it has logged so far.</summary>
    public string Log => _log.Text;

    public bool HasExited => _process.HasExited;

    /// <param name="rabbitMq">The broker.</param>
    /// <param name="postgres">The database's server.</param>
    /// <param name="drainSeconds">The worker's drain time.</param>
    /// <param name="settings">More settings, over the ones that every test has.</param>
    public static async Task<WorkerUnderTest> StartAsync(
        RabbitMqServer rabbitMq,
        PostgresServer postgres,
        int drainSeconds = 2,
        params (string Name, string Value)[] settings
    )
    {
        var environment = await CreateSiteAsync(rabbitMq, postgres, [("Dsde__Worker__DrainSeconds", $"{drainSeconds}"), .. settings]);
        return await StartAsync(environment);
    }

    /// <summary>A virtual host and a database with its schema; the settings of a worker that uses them.</summary>
    public static async Task<IReadOnlyList<(string Name, string Value)>> CreateSiteAsync(
        RabbitMqServer rabbitMq,
        PostgresServer postgres,
        params (string Name, string Value)[] settings
    )
    {
        (string, string)[] environment =
        [
            ("Dsde__RabbitMq__Host", "127.0.0.1"),
            ("Dsde__RabbitMq__Port", $"{rabbitMq.Port}"),
            ("Dsde__RabbitMq__VirtualHost", await rabbitMq.CreateVirtualHostAsync()),
            ("Dsde__Persistence__ConnectionString", await postgres.CreateDatabaseAsync(MigrateAsync)),
            ("Dsde__Engine__DataType", "fp32"),
            ("Dsde__Engine__ProfileSeconds", "0.01"), // a third of what starting a worker costs
            ("Dsde__Worker__LeaseSeconds", "5"),
            ("Dsde__Worker__ModelWaitSeconds", "2"),
            .. settings,
        ];
        return environment;
    }

    /// <summary>A worker with these settings, a name and a health port of its own.</summary>
    /// <param name="settings">From <see cref="CreateSiteAsync"/>, or another worker's.</param>
    /// <param name="untilReady">Whether to wait until it is ready to work.</param>
    /// <param name="verb">What it is started by; none for <c>worker</c>.</param>
    public static async Task<WorkerUnderTest> StartAsync(
        IReadOnlyList<(string Name, string Value)> settings,
        bool untilReady = true,
        params string[] verb
    )
    {
        (string, string)[] environment =
        [
            .. settings,
            ("Dsde__Worker__HealthPort", $"{FreePorts.Find(1)}"),
            ("Dsde__Worker__WorkerId", $"worker-{Interlocked.Increment(ref _lastNumber)}"),
        ];
        var worker = new WorkerUnderTest(DsdeProgram.Start(environment, verb.Length > 0 ? verb : ["worker"]), environment);
        if (untilReady)
        {
            await worker.WaitUntilReadyAsync();
        }

        return worker;
    }

    /// <summary>Waits until it is ready to work, and ends it if that takes too long.</summary>
    /// <param name="isExcused">Whether something is away that it has to wait for: such time doesn't count.</param>
    public async Task WaitUntilReadyAsync(Func<bool>? isExcused = null)
    {
        try
        {
            await LookUntilReadyAsync(isExcused);
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    /// <summary>Memory that is the process's own, without files that it maps.</summary>
    public long ReadPrivateBytes()
    {
        const string name = "RssAnon:";
        var line = File.ReadLines($"/proc/{_process.Id}/status").Single(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(
                line[name.Length..].Replace("kB", "", StringComparison.Ordinal),
                System.Globalization.CultureInfo.InvariantCulture
            ) << 10;
    }

    /// <summary>Another worker with the settings of this one, beside it or after it.</summary>
    public Task<WorkerUnderTest> StartAnotherAsync(params (string Name, string Value)[] settings) =>
        StartAsync([.. Environment, .. settings]);

    /// <summary>Ends the process at once, as a power cut would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Stops the process where it is; it learns nothing of it.</summary>
    public Task PauseAsync() => SignalAsync("STOP");

    /// <summary>Ctrl-C.</summary>
    public Task InterruptAsync() => SignalAsync("INT");

    /// <summary>Lets a paused process go on.</summary>
    public Task ContinueAsync() => SignalAsync("CONT");

    /// <summary>Tells the worker to stop, as an orchestrator does, and waits for its end.</summary>
    /// <returns>The exit code and what it logged.</returns>
    public async Task<(int ExitCode, string Log)> StopAsync(TimeSpan patience) =>
        (await DsdeProgram.SignalAsync(_process, "TERM", patience), await _log.ReadToEndAsync());

    /// <summary>Stops one of its threads for ever, and nothing else.</summary>
    public Task FreezeAsync(string thread) => FrozenThread.FreezeAsync(_process.Id, thread, IsGoingOnAsync);

    /// <summary>Waits until it has ended by itself.</summary>
    /// <returns>The exit code and what it logged.</returns>
    public async Task<(int ExitCode, string Log)> WaitForExitAsync(TimeSpan patience)
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(patience);
        return (_process.ExitCode, await _log.ReadToEndAsync());
    }

    /// <summary>What the worker says about its health.</summary>
    /// <param name="what"><c>ready</c> or <c>live</c>.</param>
    /// <returns>No status if it does not answer.</returns>
    public async Task<(HttpStatusCode? Status, string Text)> ReadHealthAsync(string what = "ready")
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        try
        {
            using var response = await client.GetAsync(
                $"http://127.0.0.1:{_healthPort}/health/{what}",
                TestContext.Current.CancellationToken
            );
            return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
        catch (HttpRequestException exception)
        {
            return (null, exception.Message);
        }
    }

    /// <summary>All its metrics, as Prometheus gets them.</summary>
    public async Task<string> ReadMetricsAsync()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        return await client.GetStringAsync($"http://127.0.0.1:{_healthPort}/metrics", TestContext.Current.CancellationToken);
    }

    /// <summary>The first two events of its status page, if it has one.</summary>
    public async Task<string> ReadStatusAsync()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        await using var events = await client.GetStreamAsync(
            $"http://127.0.0.1:{_healthPort}/status/events",
            TestContext.Current.CancellationToken
        );
        var parser = System.Net.ServerSentEvents.SseParser.Create(events);
        var items = await parser.EnumerateAsync(TestContext.Current.CancellationToken).Take(2).ToListAsync();
        return string.Join('\n', items.Select(item => item.Data));
    }

    /// <summary>The value of one of its metrics; 0 as long as it has none.</summary>
    public async Task<double> ReadMetricAsync(string name) => FindMetric(await ReadMetricsAsync(), name);

    /// <summary>The value of one of the metrics that <see cref="ReadMetricsAsync"/> has read; 0 as long as there is none.</summary>
    public static double FindMetric(string metrics, string name)
    {
        var line = metrics
            .Split('\n')
            .FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal) && line[name.Length] is ' ' or '{');
        return line is null ? 0 : double.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
        {
            return;
        }

        if (!_process.HasExited)
        {
            await SignalAsync("CONT");
            await SignalAsync("TERM");
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
            }
        }

        _process.Dispose();
    }

    /// <summary>
    /// Whether it goes on, and collects garbage meanwhile: a thread that was stopped in managed code lets it answer until the next
    /// collection waits for that thread.
    /// </summary>
    private async Task<bool> IsGoingOnAsync()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(4) };
        var first = default(double?);
        for (var start = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(start) < LongestCollection; )
        {
            try
            {
                var metrics = await client.GetStringAsync($"http://127.0.0.1:{_healthPort}/metrics", TestContext.Current.CancellationToken);
                var collections = GarbageCollections()
                    .Matches(metrics)
                    .Sum(line => double.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture));
                if (collections > (first ??= collections))
                {
                    return true;
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
            {
                return false;
            }
        }

        return first > 0; // it has answered all the time
    }

    [GeneratedRegex(@"^dotnet_gc_collections\w*\{[^\n]*\} ([0-9.e+]+)", RegexOptions.Multiline)]
    private static partial Regex GarbageCollections();

    private async Task LookUntilReadyAsync(Func<bool>? isExcused)
    {
        var started = TimeProvider.System.GetTimestamp();
        while ((await ReadHealthAsync()).Status != HttpStatusCode.OK)
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"The worker ended with {_process.ExitCode}:\n{await _log.ReadToEndAsync()}");
            }

            if (isExcused?.Invoke() is true)
            {
                started = TimeProvider.System.GetTimestamp();
            }

            if (TimeProvider.System.GetElapsedTime(started) > LongestStart)
            {
                throw new TimeoutException($"The worker did not become ready:\n{Log}");
            }

            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    private static async Task MigrateAsync(string connectionString)
    {
        var migrated = await DsdeProgram.RunAsync([("Dsde__Persistence__ConnectionString", connectionString)], "db", "migrate");
        migrated.ExitCode.ShouldBe(0, migrated.Error);
    }

    private string ValueOf(string name) => Environment.Last(setting => setting.Name == name).Value;
}
