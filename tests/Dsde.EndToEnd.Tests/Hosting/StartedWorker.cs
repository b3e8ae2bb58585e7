using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;

namespace Dsde.EndToEnd.Tests.Hosting;

/// <summary>A `dsde worker` that a test starts with the settings it says and no others.</summary>
internal sealed class StartedWorker : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly ProcessLog _log;

    public StartedWorker(params IEnumerable<(string Name, string Value)> settings)
    {
        _process = DsdeProgram.Start(settings, "worker");
        _log = new ProcessLog(_process);
    }

    public string Log => _log.Text;

    /// <summary>Waits until it has logged something.</summary>
    public async Task<string> LoggedAsync(string pattern)
    {
        for (var start = TimeProvider.System.GetTimestamp(); ; await Task.Delay(50, TestContext.Current.CancellationToken))
        {
            if (Regex.Match(Log, pattern) is { Success: true } match)
            {
                return match.Value;
            }

            if (_process.HasExited || TimeProvider.System.GetElapsedTime(start) > Patience)
            {
                throw new TimeoutException($"'{pattern}' was not logged:\n{Log}");
            }
        }
    }

    /// <summary>The address that it has logged.</summary>
    public async Task<string> AddressAsync() => await LoggedAsync(@"http://[0-9.]+:[0-9]+");

    /// <summary>Waits for what health says.</summary>
    public async Task<string> HealthAsync(string path, HttpStatusCode status, string words)
    {
        using var client = new HttpClient { BaseAddress = new Uri(await AddressAsync()) };
        for (var start = TimeProvider.System.GetTimestamp(); ; await Task.Delay(50, TestContext.Current.CancellationToken))
        {
            using var response = await client.GetAsync(path, TestContext.Current.CancellationToken);
            var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            if (response.StatusCode == status && text.Contains(words, StringComparison.Ordinal))
            {
                return text;
            }

            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(Patience, $"{response.StatusCode} {text}\n{Log}");
        }
    }

    /// <summary>Tells it to stop, as an orchestrator does.</summary>
    /// <returns>Its exit code.</returns>
    public Task<int> TerminateAsync() => DsdeProgram.SignalAsync(_process, "TERM", Patience);

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code, and all it wrote.</returns>
    public async Task<(int ExitCode, string Log)> EndedAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        return (_process.ExitCode, await _log.ReadToEndAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }
}
