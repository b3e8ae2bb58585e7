using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Dsde.Pipeline.Hosting;

/// <summary>What health says of a worker, from the first second of its process to the last.</summary>
internal sealed class WorkerHealth
{
    /// <summary>Tag of checks of whether the process can still be helped without being started again.</summary>
    public const string LiveTag = "live";

    /// <summary>Tag of checks of whether it takes jobs.</summary>
    public const string ReadyTag = "ready";

    private volatile State _state = new("start", "The settings are read.", null);

    /// <summary>Whether it is the checks that speak, which cost something.</summary>
    public bool IsSetUp => _state.Checks is not null;

    /// <summary>It is not ready yet, or no more.</summary>
    /// <param name="stage">What it is doing.</param>
    /// <param name="awaited">What it waits for, for people.</param>
    public void Await(string stage, string awaited) => _state = new State(stage, awaited, null);

    /// <summary>It is set up; what there is to check speaks from now on.</summary>
    public void Speak(HealthCheckService checks) => _state = new State("", "", checks);

    /// <summary>Whether it may go on: true at all times until it works, then by the checks for that.</summary>
    public Task<HealthReport> CheckLiveAsync(CancellationToken cancellationToken) =>
        _state.Checks is { } checks
            ? checks.CheckHealthAsync(check => check.Tags.Contains(LiveTag), cancellationToken)
            : Task.FromResult(Report([]));

    /// <summary>Whether it takes jobs, and why not.</summary>
    public Task<HealthReport> CheckReadyAsync(CancellationToken cancellationToken)
    {
        var state = _state;
        return state.Checks is { } checks
            ? checks.CheckHealthAsync(check => check.Tags.Contains(ReadyTag), cancellationToken)
            : Task.FromResult(
                Report(new() { [state.Stage] = new HealthReportEntry(HealthStatus.Unhealthy, state.Awaited, default, null, null) })
            );
    }

    private static HealthReport Report(Dictionary<string, HealthReportEntry> entries) => new(entries, TimeSpan.Zero);

    private sealed record State(string Stage, string Awaited, HealthCheckService? Checks);
}
