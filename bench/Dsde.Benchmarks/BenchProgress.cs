using System.Globalization;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Benchmarks;

/// <summary>Says where a long measurement is: a line every few seconds, before the run it is about.</summary>
/// <param name="output">Where lines go.</param>
/// <param name="time">For the estimate.</param>
/// <param name="runCount">Runs there will be.</param>
/// <param name="requestCount">Requests in all of them together; a run is taken to last by their number.</param>
internal sealed class BenchProgress(TextWriter output, TimeProvider time, int runCount, long requestCount)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private readonly long _start = time.GetTimestamp();
    private long? _lastShown;
    private int _runsBegun;
    private long _requestsBegun;

    /// <summary>A run begins.</summary>
    public void Begin(int batchSize, double? temperature, BenchWorkload workload, string policy)
    {
        var done = _requestsBegun;
        _runsBegun++;
        _requestsBegun += workload.Requests.Count;
        if (_lastShown is { } last && time.GetElapsedTime(last) < Interval)
        {
            return;
        }

        _lastShown = time.GetTimestamp();
        var left =
            done == 0
                ? ""
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $", about {FormatLeft(time.GetElapsedTime(_start) / done * (requestCount - done))} left"
                );
        var at = temperature is { } given ? string.Create(CultureInfo.InvariantCulture, $"temperature {given}, ") : "";
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"run {_runsBegun} of {runCount}{left}: batch {batchSize}, {at}{workload.Name}, {policy}"
            )
        );
    }

    private static string FormatLeft(TimeSpan left) =>
        left.TotalMinutes >= 2
            ? string.Create(CultureInfo.InvariantCulture, $"{left.TotalMinutes:F0} min")
            : string.Create(CultureInfo.InvariantCulture, $"{left.TotalSeconds:F0} s");
}
