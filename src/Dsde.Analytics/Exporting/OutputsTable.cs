using Dsde.Persistence.Analysis;
using Dsde.Persistence.Jobs;

namespace Dsde.Analytics.Exporting;

/// <summary>A row per output of a completed job: the trace without its series.</summary>
internal sealed class OutputsTable : TraceTable
{
    private readonly List<Action<StoredTrace>> _cells = [];

    public OutputsTable()
        : base("outputs", "job_traces")
    {
        Add("batch_id", stored => stored.BatchId?.ToString());
        Add("workload", stored => stored.Workload);
        Add("worker_id", stored => stored.WorkerId);
        Add("worker_start_id", stored => stored.WorkerStartId?.ToString());
        Of("level", trace => trace.Level);
        Of("policy", trace => trace.Policy);
        Of<bool>("is_guarded", trace => trace.IsGuarded);
        Of("proposer", trace => trace.Proposer);
        Of("sampling_mode", trace => trace.SamplingMode);
        Of<long>("seed", trace => trace.Seed);
        Of<float>("temperature", trace => trace.Temperature);
        Of<float>("top_p", trace => trace.TopP);
        Of<int>("top_k", trace => trace.TopK);
        Of("target_model", trace => trace.TargetModel);
        Of("draft_model", trace => trace.DraftModel);
        Of<int>("iterations", trace => trace.Iterations);
        Of<int>("speculating_iterations", trace => trace.SpeculatingIterations);
        Of<int>("prompt_tokens", trace => trace.PromptTokens);
        Of<int>("cached_prompt_tokens", trace => trace.CachedPromptTokens);
        Of<int>("completion_tokens", trace => trace.CompletionTokens);
        Of<int>("proposed", trace => trace.Proposed);
        Of<int>("accepted", trace => trace.Accepted);
        Of<int>("lookup_proposed", trace => trace.LookupProposed);
        Of<int>("lookup_accepted", trace => trace.LookupAccepted);
        Of<int>("forced", trace => trace.Forced);
        Of<float>("mean_kld", trace => trace.MeanKld);
        Of<float>("max_kld", trace => trace.MaxKld);
        Of<float>("variance_kld", trace => trace.VarianceKld);
        Of<float>("mean_beta", trace => trace.MeanBeta);
        Of<float>("mean_draft_entropy", trace => trace.MeanDraftEntropy);
        Of<int>("calibration_max_accepted", trace => trace.CalibrationMaxAccepted);
        Of<int>("calibration_max_length", trace => trace.CalibrationMaxLength);
        Of<double>("waiting_ms", trace => trace.WaitingMs);
        Of<double>("prefill_ms", trace => trace.PrefillMs);
        Of<double>("others_ms", trace => trace.OthersMs);
        Of<double>("draft_ms", trace => trace.DraftMs);
        Of<double>("verify_ms", trace => trace.VerifyMs);
        Of<double>("sampling_ms", trace => trace.SamplingMs);
        Of<double>("rest_ms", trace => trace.RestMs);
        Of<double>("total_ms", trace => trace.TotalMs);
        Of<double>("first_token_ms", trace => trace.FirstTokenMs);
        Of<double>("prefill_share_ms", trace => trace.PrefillShareMs);
        Of<double>("draft_share_ms", trace => trace.DraftShareMs);
        Of<double>("verify_share_ms", trace => trace.VerifyShareMs);
        Of<double>("sampling_share_ms", trace => trace.SamplingShareMs);
    }

    /// <inheritdoc/>
    public override void Add(StoredTrace stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        Begin(stored);
        _cells.ForEach(cell => cell(stored));
        EndRow();
    }

    private void Add(string name, Func<StoredTrace, string?> value)
    {
        var column = Text(name);
        _cells.Add(stored => column.Add(value(stored)));
    }

    private void Of(string name, Func<TraceSummary, string?> value) => Add(name, stored => value(stored.Trace));

    private void Of<T>(string name, Func<TraceSummary, T?> value)
        where T : struct
    {
        var column = Value<T>(name);
        _cells.Add(stored => column.Add(value(stored.Trace)));
    }
}
