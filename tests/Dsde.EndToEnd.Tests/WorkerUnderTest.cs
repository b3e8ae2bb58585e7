using System.Diagnostics;
using System.Net;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>A `dsde worker` process on a virtual host and a database of its own.</summary>
internal sealed class WorkerUnderTest : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _log;

    private WorkerUnderTest(Process process, IReadOnlyList<(string, string)> environment, string virtualHost, string connectionString)
    {
        _process = process;
        Environment = environment;
        VirtualHost = virtualHost;
        ConnectionString = connectionString;
        _log = process.StandardOutput.ReadToEndAsync();
        _ = process.StandardError.ReadToEndAsync();
    }

    /// <summary>The settings, for clients.</summary>
    public IReadOnlyList<(string Name, string Value)> Environment { get; }

    public string VirtualHost { get; }

    public string ConnectionString { get; }

    /// <param name="rabbitMq">The broker.</param>
    /// <param name="postgres">The database's server.</param>
    /// <param name="drainSeconds">The worker's drain time.</param>
    /// <param name="settings">More settings, over the ones that every test has.</param>
    public static async Task<WorkerUnderTest> StartAsync(RabbitMqServer rabbitMq, PostgresServer postgres, int drainSeconds = 2, params (string Name, string Value)[] settings)
    {
        var (virtualHost, connection) = (await rabbitMq.CreateVirtualHostAsync(), await postgres.CreateDatabaseAsync());
        var healthPort = rabbitMq.Port + 1000;
        (string, string)[] environment =
        [
            ("Dsde__RabbitMq__Host", "127.0.0.1"), ("Dsde__RabbitMq__Port", $"{rabbitMq.Port}"), ("Dsde__RabbitMq__VirtualHost", virtualHost),
            ("Dsde__Persistence__ConnectionString", connection), ("Dsde__Worker__HealthPort", $"{healthPort}"), ("Dsde__Engine__DataType", "fp32"), ("Dsde__Worker__DrainSeconds", $"{drainSeconds}"), ("Dsde__Worker__LeaseSeconds", "5"),
            .. settings,
        ];
        var migrated = await DsdeProgram.RunAsync(environment, "db", "migrate");
        migrated.ExitCode.ShouldBe(0, migrated.Error);
        return await StartAsync(environment, virtualHost, connection, healthPort);
    }

    /// <summary>Another worker with the settings of this one, which must have ended.</summary>
    public Task<WorkerUnderTest> StartSuccessorAsync(RabbitMqServer rabbitMq) => StartAsync(Environment, VirtualHost, ConnectionString, rabbitMq.Port + 1000);

    /// <summary>Another worker beside this one.</summary>
    public Task<WorkerUnderTest> StartAnotherAsync(RabbitMqServer rabbitMq)
    {
        var healthPort = rabbitMq.Port + 1001;
        return StartAsync([.. Environment, ("Dsde__Worker__HealthPort", $"{healthPort}")], VirtualHost, ConnectionString, healthPort);
    }

    /// <summary>Ends the process at once, as a power cut would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Tells the worker to stop, as an orchestrator does, and waits for its end.</summary>
    /// <returns>The exit code and what it logged.</returns>
    public async Task<(int ExitCode, string Log)> StopAsync(TimeSpan patience) => (await DsdeProgram.SignalAsync(_process, "TERM", patience), await _log);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Process.Start("kill", ["-TERM", $"{_process.Id}"]).Dispose();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static async Task<WorkerUnderTest> StartAsync(IReadOnlyList<(string, string)> environment, string virtualHost, string connection, int healthPort)
    {
        var worker = new WorkerUnderTest(DsdeProgram.Start(environment, "worker"), environment, virtualHost, connection);
        await worker.WaitUntilReadyAsync(healthPort);
        return worker;
    }

    private async Task WaitUntilReadyAsync(int healthPort)
    {
        using var client = new HttpClient();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(90));
        while (true)
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"The worker ended with {_process.ExitCode}:\n{await _log}");
            }

            try
            {
                if ((await client.GetAsync($"http://127.0.0.1:{healthPort}/health/ready", patience.Token)).StatusCode == HttpStatusCode.OK)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // not listening yet
            }

            await Task.Delay(200, patience.Token);
        }
    }
}
