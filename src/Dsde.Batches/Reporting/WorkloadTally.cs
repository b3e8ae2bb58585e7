using Dsde.Contracts;
using Dsde.Statistics;

namespace Dsde.Batches.Reporting;

/// <summary>Counts of the jobs of one workload.</summary>
internal sealed class WorkloadTally
{
    private readonly List<double> _latencies = [];
    private double _kldSum;
    private long _drafted;
    private int _outputs;

    public int Jobs { get; private set; }

    public int Failed { get; private set; }

    public long Tokens { get; private set; }

    public long Proposed { get; private set; }

    public long Accepted { get; private set; }

    public long Iterations { get; private set; }

    /// <summary>Jobs for which the cost guard decided whether to speculate.</summary>
    public int Decided { get; private set; }

    /// <summary>Of these, jobs for which it was to speculate.</summary>
    public int Paid { get; private set; }

    public void Add(GenerationJobCompleted job)
    {
        Jobs++;
        _outputs += job.Choices?.Count ?? 1;
        Tokens += job.Usage.CompletionTokens;
        if (job is not { Speculation: { } speculation, Timings: { } timings })
        {
            return; // its telemetry was removed from the database
        }

        Proposed += speculation.Proposed;
        Accepted += speculation.Accepted;
        Iterations += speculation.Iterations;
        Decided += speculation.Paid is null ? 0 : 1;
        Paid += speculation.Paid == true ? 1 : 0;
        var drafted = speculation.Proposed - speculation.LookupProposed; // only these have a KLD
        _drafted += drafted;
        _kldSum += drafted * (speculation.MeanKld ?? 0);
        _latencies.Add(timings.TotalMs);
    }

    public void AddFailed()
    {
        Jobs++;
        Failed++;
    }

    public WorkloadRow ToRow(string name, TimeSpan elapsed, double? speedUp) =>
        new()
        {
            Workload = name,
            JobCount = Jobs,
            FailedCount = Failed,
            CompletionTokens = Tokens,
            AcceptanceRate = Proposed == 0 ? null : (double)Accepted / Proposed,
            // The first token of an output comes of its prompt's pass.
            BlockEfficiency = Iterations == 0 ? null : (Tokens - _outputs) / (double)Iterations,
            MeanKld = _drafted == 0 ? null : _kldSum / _drafted,
            P50LatencyMs = Quantile(0.5),
            P95LatencyMs = Quantile(0.95),
            TokensPerSecond = elapsed > TimeSpan.Zero ? Tokens / elapsed.TotalSeconds : null,
            SpeedUp = speedUp,
            DecidedCount = Decided,
            PaidCount = Paid,
        };

    private double? Quantile(double share) => _latencies.Count == 0 ? null : Samples.Quantile(_latencies, share);
}
