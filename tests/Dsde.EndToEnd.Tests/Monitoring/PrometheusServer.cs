using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Monitoring;

/// <summary>A real Prometheus, on a free port with scratch data, that scrapes every second.</summary>
internal sealed class PrometheusServer : IAsyncDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly Process _process;
    private readonly ProcessLog _log;
    private readonly HttpClient _client;

    private PrometheusServer(string configuration, int port)
    {
        var file = Path.Combine(_folder.Path, "prometheus.yaml");
        File.WriteAllText(file, configuration);
        _process = Process.Start(
            new ProcessStartInfo(
                "prometheus",
                [
                    $"--config.file={file}",
                    $"--storage.tsdb.path={Path.Combine(_folder.Path, "data")}",
                    $"--web.listen-address=127.0.0.1:{port}",
                ]
            )
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        _log = new ProcessLog(_process);
        _client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/api/v1/") };
    }

    /// <summary>Starts one.</summary>
    /// <param name="configuration">Its configuration file, with the alerts' rules named.</param>
    public static PrometheusServer Start(string configuration) => new(configuration, FreePorts.Find(1));

    /// <summary>The series of an expression now, with their values.</summary>
    public async Task<IReadOnlyList<JsonElement>> QueryAsync(string expression)
    {
        var answer = await AskAsync($"query?query={Uri.EscapeDataString(expression)}");
        return [.. answer.GetProperty("result").EnumerateArray()];
    }

    /// <summary>Waits until an expression has a series.</summary>
    /// <returns>Whether it came in time.</returns>
    public async Task<bool> WaitForAsync(string expression, TimeSpan patience)
    {
        for (var start = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(start) < patience; )
        {
            if (await IsThereAsync(expression))
            {
                return true;
            }

            await Task.Delay(500, TestContext.Current.CancellationToken);
        }

        return false;
    }

    /// <summary>What it makes of its rules: name and health of each.</summary>
    public async Task<IReadOnlyList<(string Name, string Health)>> ReadRulesAsync() =>
        [
            .. (await AskAsync("rules"))
                .GetProperty("groups")
                .EnumerateArray()
                .SelectMany(group => group.GetProperty("rules").EnumerateArray())
                .Select(rule => (rule.GetProperty("name").GetString()!, rule.GetProperty("health").GetString()!)),
        ];

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await DsdeProgram.SignalAsync(_process, "TERM", TimeSpan.FromSeconds(30));
        }

        _process.Dispose();
        _client.Dispose();
        _folder.Dispose();
    }

    private async Task<bool> IsThereAsync(string expression)
    {
        try
        {
            return (await QueryAsync(expression)).Count > 0;
        }
        catch (HttpRequestException) when (!_process.HasExited)
        {
            return false; // it starts
        }
    }

    private async Task<JsonElement> AskAsync(string question)
    {
        using var response = await _client.GetAsync(question, TestContext.Current.CancellationToken);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        answer.GetProperty("status").GetString().ShouldBe("success", $"{question}: {answer}\n{_log.Text}");
        return answer.GetProperty("data");
    }
}
