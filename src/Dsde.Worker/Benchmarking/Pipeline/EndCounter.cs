using System.Diagnostics.Metrics;
using Dsde.Worker.Telemetry;

namespace Dsde.Worker.Benchmarking.Pipeline;

/// <summary>Counts the jobs that a worker in this process has ended, from the metric it publishes.</summary>
internal sealed class EndCounter : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _expected;
    private int _count;

    public EndCounter(int expected)
    {
        _expected = expected;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument is { Meter.Name: WorkerMetrics.MeterName, Name: WorkerMetrics.JobsName })
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, count, _, _) =>
        {
            if (Interlocked.Add(ref _count, (int)count) >= _expected)
            {
                _all.TrySetResult();
            }
        });
        _listener.Start();
    }

    /// <summary>Ends when as many as expected have ended.</summary>
    public Task All => _all.Task;

    /// <summary>So far.</summary>
    public int Count => Volatile.Read(ref _count);

    public void Dispose() => _listener.Dispose();
}
