using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>What workers measure with one instrument, and no others: tests run beside each other.</summary>
internal sealed class Measurements : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<double> _values = [];

    public Measurements(string instrument, params TestWorker[] workers)
    {
        _listener.InstrumentPublished = (published, listener) =>
        {
            if (published.Name == instrument && workers.Any(worker => worker.Meters == published.Meter.Scope))
            {
                listener.EnableMeasurementEvents(published);
            }
        };
        _listener.SetMeasurementEventCallback<double>((_, value, _, _) => _values.Enqueue(value));
        _listener.Start();
    }

    public IReadOnlyList<double> Values => [.. _values];

    public void Dispose() => _listener.Dispose();
}
