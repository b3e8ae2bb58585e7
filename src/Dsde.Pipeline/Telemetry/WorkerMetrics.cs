using System.Diagnostics;
using System.Diagnostics.Metrics;
using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging;

namespace Dsde.Pipeline.Telemetry;

/// <summary>
/// Instruments about jobs and the engine, which docs/operations.md lists, and the line of the log per ended job. Counts only: every rate
/// and
/// share can be made of them. Attributes have few values: what a job says of itself is one only if the settings know it.
/// </summary>
internal sealed class WorkerMetrics
{
    private const string Other = "other";

    private readonly HashSet<string> _models;
    private readonly HashSet<string> _workloads;
    private readonly Counter<long> _jobs;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _queueing;
    private readonly Histogram<double> _waiting;
    private readonly Histogram<double> _requestDuration;
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<double> _perToken;
    private readonly Histogram<long> _usage;
    private readonly Counter<double> _engineTime;
    private readonly TimeProvider _time;
    private readonly ILogger<WorkerMetrics> _logger;

    public WorkerMetrics(
        IMeterFactory meters,
        IGenerationEngine engine,
        IWaitingPlace waitingPlace,
        WorkerOptions options,
        TimeProvider time,
        ILogger<WorkerMetrics> logger
    )
    {
        (_time, _logger) = (time, logger);
        _models = [.. options.Models, engine.Description.Target];
        _workloads = [.. options.MetricWorkloads];
        var meter = meters.Create(PipelineMeter.Name);
        _jobs = meter.CreateCounter<long>("dsde.jobs", "{job}", "Jobs ended, by outcome, failure, model and workload.");
        _duration = meter.CreateHistogram<double>("dsde.job.duration", "s", "Time from a job's submission to its stored end, by outcome.");
        _queueing = meter.CreateHistogram<double>("dsde.job.queue.duration", "s", "Time from a job's submission to its start here.");
        _waiting = meter.CreateHistogram<double>("dsde.sequence.wait.duration", "s", "Time that outputs waited for a slot of the engine.");
        _requestDuration = meter.CreateHistogram<double>("gen_ai.server.request.duration", "s", "Time of outputs in the engine.");
        _firstToken = meter.CreateHistogram<double>(
            "gen_ai.server.time_to_first_token",
            "s",
            "Time of outputs in the engine until their first token."
        );
        _perToken = meter.CreateHistogram<double>(
            "gen_ai.server.time_per_output_token",
            "s",
            "Time per token of outputs after their first."
        );
        _usage = meter.CreateHistogram<long>("gen_ai.client.token.usage", "{token}", "Tokens of prompts (input) and outputs (output).");
        _engineTime = meter.CreateCounter<double>(
            "dsde.engine.time",
            "s",
            "Time of the engine's passes by phase, of outputs that have ended: prefill, draft, verify, sampling."
        );
        BeginAtZero(options.Models);
        AddEngine(meter, engine);
        meter.CreateObservableGauge(
            "dsde.jobs.waiting_for_claim",
            () => waitingPlace.WaitingCount,
            "{job}",
            "Jobs that wait for another worker's claim, of all workers together."
        );
    }

    /// <summary>What has not happened yet is zero, so that the first time is an increase.</summary>
    private void BeginAtZero(string[] models)
    {
        PipelineMeter.BeginAtZero();
        foreach (var model in models)
        {
            foreach (var outcome in new[] { "completed", "cancelled" })
            {
                _jobs.Add(0, TagsOf(model, outcome));
            }

            foreach (var code in new[] { FailureCodes.EngineError, FailureCodes.WorkerLost, FailureCodes.InternalError })
            {
                _jobs.Add(0, TagsOf(model, "failed", code));
            }
        }
    }

    private TagList TagsOf(string? model, string outcome, string code = "", string workload = "") =>
        new() { Model(model), { "outcome", outcome }, { "workload", workload }, { "error.type", code } };

    /// <summary>Notes how long a job has waited in the queue.</summary>
    public void JobStarted(JobDelivery delivery)
    {
        if (delivery.SubmittedAt is { } submitted)
        {
            // By the sender's clock, which may be ahead.
            _queueing.Record(Math.Max(0, (_time.GetUtcNow() - submitted).TotalSeconds), Model(delivery.Job.Model));
        }
    }

    /// <summary>Counts and logs a job that ended by this delivery.</summary>
    public void JobEnded(JobOutcome.Ended ended, JobDelivery delivery)
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
        var seconds = ((job.EndedAt ?? _time.GetUtcNow()) - (delivery.SubmittedAt ?? job.CreatedAt)).TotalSeconds;
        _duration.Record(Math.Max(0, seconds), Model(job.Model), KeyValuePair.Create("outcome", (object?)outcome));
        var workload = job.Workload is { } named && !_workloads.Contains(named) ? Other : job.Workload ?? "";
        _jobs.Add(1, TagsOf(job.Model, outcome, job.Failure?.Code ?? "", workload));
        foreach (var trace in job.Traces)
        {
            RecordOutput(trace, job.Model, delivery.Job.Messages is null ? "text_completion" : "chat");
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
                job.Traces.Count > 0 ? job.Traces.Max(trace => trace.TotalMs) : 0,
                job.Attempt
            );
        }
    }

    private void RecordOutput(TraceSummary trace, string? model, string operation)
    {
        var tags = new TagList
        {
            { "gen_ai.operation.name", operation },
            { "gen_ai.provider.name", "dsde" },
            { "gen_ai.request.model", Model(model).Value },
        };
        _waiting.Record(trace.WaitingMs / 1000, Model(model));
        _requestDuration.Record(trace.TotalMs / 1000, tags);
        if (trace.FirstTokenMs is { } first)
        {
            _firstToken.Record(first / 1000, tags);
            if (trace.CompletionTokens > 1)
            {
                _perToken.Record((trace.TotalMs - first) / 1000 / (trace.CompletionTokens - 1), tags);
            }
        }

        _usage.Record(trace.PromptTokens, [.. tags, KeyValuePair.Create("gen_ai.token.type", (object?)"input")]);
        _usage.Record(trace.CompletionTokens, [.. tags, KeyValuePair.Create("gen_ai.token.type", (object?)"output")]);
        AddTime("prefill", trace.PrefillShareMs);
        AddTime("draft", trace.DraftShareMs);
        AddTime("verify", trace.VerifyShareMs);
        AddTime("sampling", trace.SamplingShareMs);
    }

    private void AddTime(string phase, double? milliseconds) =>
        _engineTime.Add((milliseconds ?? 0) / 1000, KeyValuePair.Create("phase", (object?)phase));

    private KeyValuePair<string, object?> Model(string? model) =>
        new("model", model is not null && _models.Contains(model) ? model : Other);

    /// <summary>What the engine counts itself.</summary>
    private static void AddEngine(Meter meter, IGenerationEngine engine)
    {
        Count("dsde.tokens.prompt", "{token}", "Prompt tokens admitted.", snapshot => snapshot.PromptTokens);
        Count(
            "dsde.tokens.prompt.reused",
            "{token}",
            "Of these, taken from others that begin alike.",
            snapshot => snapshot.ReusedPromptTokens
        );
        Count("dsde.tokens.emitted", "{token}", "Tokens emitted and kept.", snapshot => snapshot.Emitted);
        Count("dsde.tokens.proposed", "{token}", "Tokens proposed, by the draft or by lookup.", snapshot => snapshot.Proposed);
        Count("dsde.tokens.accepted", "{token}", "Proposed tokens accepted and kept.", snapshot => snapshot.Accepted);
        Count("dsde.tokens.forced", "{token}", "Tokens that formats forced, besides those proposed.", snapshot => snapshot.Forced);
        Count("dsde.iterations", "{iteration}", "Draft-verify-accept iterations.", snapshot => snapshot.Iterations);
        Count("dsde.sequences.suspended", "{sequence}", "Sequences that made room for others.", snapshot => snapshot.Suspensions);
        Count("dsde.device.out_of_memory", "{event}", "Times the device ran out of memory.", snapshot => snapshot.OutOfMemory);
        Count(
            "dsde.draft.rows_without_numbers",
            "{row}",
            "Rows of the draft whose logits were NaN or infinite.",
            snapshot => snapshot.DraftRowsWithoutNumbers
        );
        Show("dsde.sequences.running", "{sequence}", "Sequences in the batch.", snapshot => snapshot.Running);
        Show("dsde.sequences.waiting", "{sequence}", "Requests waiting for a slot.", snapshot => snapshot.Waiting);
        Show("dsde.sequences.limit", "{sequence}", "Most sequences that may run at once now.", snapshot => snapshot.BatchLimit);
        meter.CreateObservableGauge(
            "dsde.kv.blocks",
            () =>
            {
                var snapshot = engine.GetSnapshot();
                return new Measurement<int>[]
                {
                    new(snapshot.KvBlocks - snapshot.KvBlocksFree, KeyValuePair.Create("state", (object?)"used")),
                    new(snapshot.KvBlocksFree, KeyValuePair.Create("state", (object?)"free")),
                };
            },
            "{block}",
            "Blocks for keys and values of the target, of 32 positions each."
        );

        void Count(string name, string unit, string description, Func<EngineSnapshot, long> read) =>
            meter.CreateObservableCounter(name, () => read(engine.GetSnapshot()), unit, description);

        void Show(string name, string unit, string description, Func<EngineSnapshot, int> read) =>
            meter.CreateObservableGauge(name, () => read(engine.GetSnapshot()), unit, description);
    }
}
