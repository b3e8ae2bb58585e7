using Dsde.Persistence.Analysis;

namespace Dsde.Analytics.Exporting;

/// <summary>A row per job that has ended, whatever became of it. Prompts and outputs are not exported.</summary>
internal sealed class JobsTable : ExportTable
{
    private readonly ExportTextColumn _jobId;
    private readonly ExportTextColumn _batchId;
    private readonly ExportTextColumn _customId;
    private readonly ExportTextColumn _model;
    private readonly ExportTextColumn _workload;
    private readonly ExportTextColumn _state;
    private readonly ExportTextColumn _workerId;
    private readonly ExportColumn<int> _attempt;
    private readonly ExportColumn<DateTime> _submittedAt;
    private readonly ExportColumn<DateTime> _createdAt;
    private readonly ExportColumn<DateTime> _startedAt;
    private readonly ExportColumn<DateTime> _endedAt;
    private readonly ExportTextColumn _finishReason;
    private readonly ExportColumn<int> _promptTokens;
    private readonly ExportColumn<int> _completionTokens;
    private readonly ExportTextColumn _failureCode;
    private readonly ExportTextColumn _cancelReason;

    public JobsTable()
        : base("jobs", "generation_jobs")
    {
        (_jobId, _batchId, _customId) = (Text("job_id"), Text("batch_id"), Text("custom_id"));
        (_model, _workload, _state, _workerId) = (Text("model"), Text("workload"), Text("state"), Text("worker_id"));
        _attempt = Value<int>("attempt");
        (_submittedAt, _createdAt) = (Time("submitted_at"), Time("created_at"));
        (_startedAt, _endedAt) = (Time("started_at"), Time("ended_at"));
        _finishReason = Text("finish_reason");
        (_promptTokens, _completionTokens) = (Value<int>("prompt_tokens"), Value<int>("completion_tokens"));
        (_failureCode, _cancelReason) = (Text("failure_code"), Text("cancel_reason"));
    }

    /// <summary>Adds a row.</summary>
    public void Add(JobSummary job)
    {
        ArgumentNullException.ThrowIfNull(job);
        _jobId.Add($"{job.JobId}");
        _batchId.Add(job.BatchId?.ToString());
        _customId.Add(job.CustomId);
        _model.Add(job.Model);
        _workload.Add(job.Workload);
        _state.Add(job.State);
        _workerId.Add(job.WorkerId);
        _attempt.Add(job.Attempt);
        _submittedAt.Add(job.SubmittedAt?.UtcDateTime);
        _createdAt.Add(job.CreatedAt.UtcDateTime);
        _startedAt.Add(job.StartedAt?.UtcDateTime);
        _endedAt.Add(job.EndedAt.UtcDateTime);
        _finishReason.Add(job.FinishReason);
        _promptTokens.Add(job.PromptTokens);
        _completionTokens.Add(job.CompletionTokens);
        _failureCode.Add(job.FailureCode);
        _cancelReason.Add(job.CancelReason);
        EndRow();
    }
}
