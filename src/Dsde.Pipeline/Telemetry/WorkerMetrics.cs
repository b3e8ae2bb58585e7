using System.Diagnostics.Metrics;
using Dsde.Engine;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Messaging;

namespace Dsde.Pipeline.Telemetry;

/// <summary>Instruments of the meter <c>Dsde.Worker</c>, which docs/operations.md lists, and the line of the log per ended job.</summary>
internal sealed class WorkerMetrics
{
    public const string MeterName = "Dsde.Worker";

    private readonly Counter<long> _jobs;
    private readonly Histogram<double> _duration;
    private readonly ILogger<WorkerMetrics> _logger;

    public WorkerMetrics(IMeterFactory meters, IGenerationEngine engine, IWaitingPlace waitingPlace, ILogger<WorkerMetrics> logger)
    {
        _logger = logger;
        var meter = meters.Create(MeterName);
        _jobs = meter.CreateCounter<long>("dsde.jobs", "{job}", "Jobs ended, by outcome.");
        _duration = meter.CreateHistogram<double>("dsde.job.duration", "s", "Time of completed jobs in the engine.");
        meter.CreateObservableCounter("dsde.tokens.emitted", () => engine.GetSnapshot().Emitted, "{token}", "Tokens emitted and kept.");
        meter.CreateObservableCounter("dsde.tokens.proposed", () => engine.GetSnapshot().Proposed, "{token}", "Draft tokens proposed.");
        meter.CreateObservableCounter(
            "dsde.tokens.accepted",
            () => engine.GetSnapshot().Accepted,
            "{token}",
            "Draft tokens accepted and kept."
        );
        meter.CreateObservableCounter(
            "dsde.draft.rows_without_numbers",
            () => engine.GetSnapshot().DraftRowsWithoutNumbers,
            "{row}",
            "Rows of the draft whose logits were NaN or infinite."
        );
        meter.CreateObservableCounter(
            "dsde.iterations",
            () => engine.GetSnapshot().Iterations,
            "{iteration}",
            "Draft-verify-accept iterations."
        );
        meter.CreateObservableGauge(
            "dsde.jobs.waiting_for_claim",
            () => waitingPlace.WaitingCount,
            "{job}",
            "Jobs that wait for another worker's claim, of all workers together."
        );
        meter.CreateObservableGauge("dsde.sequences.running", () => engine.GetSnapshot().Running, "{sequence}", "Sequences in the batch.");
        meter.CreateObservableGauge(
            "dsde.sequences.waiting",
            () => engine.GetSnapshot().Waiting,
            "{sequence}",
            "Requests waiting for a slot."
        );
        meter.CreateObservableGauge(
            "dsde.speculation_length.mean",
            () => engine.GetSnapshot().MeanSpeculationLength,
            "{token}",
            "Mean speculation length of the last iteration."
        );
    }

    /// <summary>Counts and logs a job that ended by this delivery.</summary>
    public void JobEnded(JobOutcome.Ended ended)
    {
        if (!ended.IsNew)
        {
            return;
        }

        var job = ended.Job;
        var outcome = job.State switch
        {
            JobState.Completed => "completed",
            JobState.Failed => "failed",
            _ => "cancelled",
        };
        _jobs.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        var seconds = job.Traces.Count > 0 ? job.Traces.Max(trace => trace.TotalMs) / 1000 : 0;
        if (job.Traces.Count > 0)
        {
            _duration.Record(seconds);
        }

        if (_logger.IsEnabled(LogLevel.Information))
        {
            var proposed = job.Traces.Sum(trace => trace.Proposed);
            _logger.JobEnded(
                job.JobId,
                job.Failure is { } failure ? $"{outcome} ({failure.Code})" : outcome,
                job.Outputs.Sum(output => output.CompletionTokens),
                job.Traces.Sum(trace => trace.Accepted) / Math.Max(1.0, proposed),
                proposed,
                seconds * 1000,
                job.Attempt
            );
        }
    }
}
