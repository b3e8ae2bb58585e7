namespace Dsde.Engine.Scheduling;

/// <summary>What the engine has done so far. Written by its thread, read by any.</summary>
internal sealed class EngineCounters
{
    private readonly Lock _lock = new();
    private EngineSnapshot _snapshot;

    /// <summary>Adds an iteration, and says how many run and wait.</summary>
    public void Update(IterationSummary summary, int running, int waiting)
    {
        lock (_lock)
        {
            _snapshot = new EngineSnapshot(
                running, waiting,
                _snapshot.Iterations + (summary.Sequences > 0 ? 1 : 0),
                _snapshot.Proposed + summary.Proposed,
                _snapshot.Accepted + summary.Accepted,
                _snapshot.Emitted + summary.Emitted,
                summary.Sequences > 0 ? (double)summary.Proposed / summary.Sequences : _snapshot.MeanSpeculationLength);
        }
    }

    /// <summary>The counters now.</summary>
    public EngineSnapshot Read()
    {
        lock (_lock)
        {
            return _snapshot;
        }
    }
}
