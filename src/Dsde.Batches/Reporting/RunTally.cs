using Dsde.Contracts;

namespace Dsde.Batches.Reporting;

/// <summary>Adds up ended jobs, workload by workload. Any thread.</summary>
internal sealed class RunTally(TimeProvider time)
{
    private const string NoWorkload = "(none)";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, WorkloadTally> _workloads = [];
    private readonly WorkloadTally _all = new();
    private readonly long _start = time.GetTimestamp();
    private int _endedBefore;

    /// <summary>What progress displays show.</summary>
    public ProgressSample Sample()
    {
        lock (_lock)
        {
            return new ProgressSample(
                _endedBefore + _all.Jobs,
                _all.Failed,
                _all.Tokens / Math.Max(1e-3, time.GetElapsedTime(_start).TotalSeconds),
                _all.Proposed == 0 ? null : (double)_all.Accepted / _all.Proposed,
                _all.Iterations == 0 ? null : (double)_all.Proposed / _all.Iterations
            );
        }
    }

    /// <summary>Takes in that jobs had ended before the start; they count as ended, and for no rate.</summary>
    public void AddEndedBefore(int count)
    {
        lock (_lock)
        {
            _endedBefore += count;
        }
    }

    /// <summary>Takes in the end of a job.</summary>
    public void Add(object jobEvent)
    {
        lock (_lock)
        {
            switch (jobEvent)
            {
                case GenerationJobCompleted completed:
                    Of(completed.Metadata).Add(completed);
                    _all.Add(completed);
                    break;
                case GenerationJobFailed failed:
                    Of(failed.Metadata).AddFailed();
                    _all.AddFailed();
                    break;
                case GenerationJobCancelled cancelled:
                    Of(cancelled.Metadata).AddFailed();
                    _all.AddFailed();
                    break;
            }
        }
    }

    /// <summary>Tokens of the outputs of a workload so far.</summary>
    /// <param name="workload">Its label (<see cref="LabelOf"/>).</param>
    public long CountTokens(string workload)
    {
        lock (_lock)
        {
            return _workloads.GetValueOrDefault(workload)?.Tokens ?? 0;
        }
    }

    /// <summary>A row per workload and one for all.</summary>
    /// <param name="elapsed">Wall-clock time of the run; tokens/s are shares of it.</param>
    /// <param name="speedUps">Measured speed-ups by workload; the empty name is for all.</param>
    public (IReadOnlyList<WorkloadRow> Rows, WorkloadRow Overall) ToRows(TimeSpan elapsed, IReadOnlyDictionary<string, double> speedUps)
    {
        lock (_lock)
        {
            var rows = _workloads
                .OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => pair.Value.ToRow(pair.Key, elapsed, Find(pair.Key)))
                .ToList();
            return (rows, _all.ToRow("all", elapsed, Find("")));
        }

        double? Find(string name) => speedUps.TryGetValue(name, out var value) ? value : null;
    }

    /// <summary>The label under which a job is counted.</summary>
    public static string LabelOf(IReadOnlyDictionary<string, string>? metadata) => metadata?.GetValueOrDefault("workload") ?? NoWorkload;

    private WorkloadTally Of(IReadOnlyDictionary<string, string>? metadata)
    {
        var label = LabelOf(metadata);
        if (!_workloads.TryGetValue(label, out var tally))
        {
            _workloads.Add(label, tally = new WorkloadTally());
        }

        return tally;
    }
}

/// <summary>A moment of a run.</summary>
/// <param name="Ended">Jobs ended.</param>
/// <param name="Failed">Of those that have ended since the start, without an output.</param>
/// <param name="TokensPerSecond">Of jobs that have ended since the start.</param>
/// <param name="AcceptanceRate">0 to 1; null if nothing was proposed.</param>
/// <param name="SpeculationLength">Mean; null before the first iteration.</param>
internal readonly record struct ProgressSample(
    int Ended,
    int Failed,
    double TokensPerSecond,
    double? AcceptanceRate,
    double? SpeculationLength
);
