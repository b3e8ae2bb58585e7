using System.Text;
using Dsde.Contracts;
using Dsde.Persistence.Jobs;

namespace Dsde.Worker.Jobs;

/// <summary>
/// The event that announces a job's end, made from what is stored: told again, it is the same event with the same message id.
/// </summary>
internal static class JobEvents
{
    /// <summary>The event, with the whole text however long.</summary>
    public static object Create(StoredJob job)
    {
        var request = job.Request is null ? null : CanonicalRequest.Read(job.Request);
        var endedAt = job.EndedAt ?? throw new ArgumentException($"Job {job.JobId} has not ended.", nameof(job));
        return job.State switch
        {
            JobState.Completed => CreateCompleted(job, request, endedAt),
            JobState.Failed => CreateFailed(
                job.JobId, job.BatchId, job.CustomId, job.Failure ?? throw new ArgumentException($"Failed job {job.JobId} has no reason.", nameof(job)), request?.Metadata, endedAt),
            JobState.Cancelled => new GenerationJobCancelled
            {
                JobId = job.JobId,
                BatchId = job.BatchId,
                CustomId = job.CustomId,
                Reason = job.CancelReason ?? "cancelled",
                Metadata = request?.Metadata,
                CancelledAt = endedAt,
            },
            _ => throw new ArgumentException($"Job {job.JobId} is {job.State}.", nameof(job)),
        };
    }

    /// <summary>The event of a failure.</summary>
    public static GenerationJobFailed CreateFailed(
        Guid jobId, Guid? batchId, string? customId, JobFailure failure, IReadOnlyDictionary<string, string>? metadata, DateTimeOffset failedAt) => new()
        {
            JobId = jobId,
            BatchId = batchId,
            CustomId = customId,
            Code = failure.Code,
            Message = failure.Message,
            Retryable = failure.Retryable,
            Metadata = metadata,
            FailedAt = failedAt,
        };

    /// <summary>The event as it is sent: above a size the text stays where it is stored.</summary>
    public static object WithBoundedText(object jobEvent, int maxTextBytes) =>
        jobEvent is GenerationJobCompleted { Text: { } text } completed && Encoding.UTF8.GetByteCount(text) > maxTextBytes
            ? completed with { Text = null, TextLocation = $"generation_jobs/{completed.JobId}" }
            : jobEvent;

    /// <summary>The message id: from the job and its outcome, nothing else.</summary>
    public static Guid MessageIdOf(Guid jobId, object jobEvent) => NameBasedGuid.Create(jobId, jobEvent.GetType().Name);

    private static GenerationJobCompleted CreateCompleted(StoredJob job, SubmitGenerationJob? request, DateTimeOffset endedAt)
    {
        var output = job.Output ?? throw new ArgumentException($"Completed job {job.JobId} has no output.", nameof(job));
        var trace = job.Trace ?? throw new ArgumentException($"Completed job {job.JobId} has no trace.", nameof(job));
        return new GenerationJobCompleted
        {
            JobId = job.JobId,
            BatchId = job.BatchId,
            CustomId = job.CustomId,
            Model = job.Model ?? "",
            Text = output.Text,
            FinishReason = output.FinishReason,
            Usage = new GenerationUsage { PromptTokens = output.PromptTokens, CompletionTokens = output.CompletionTokens },
            Timings = new GenerationTimings
            {
                WaitingMs = trace.WaitingMs,
                PrefillMs = trace.PrefillMs,
                DraftMs = trace.DraftMs,
                VerifyMs = trace.VerifyMs,
                SamplingMs = trace.SamplingMs,
                TotalMs = trace.TotalMs,
            },
            Speculation = Summarize(trace),
            TokenIds = output.TokenIds,
            PromptTokenIds = output.PromptTokenIds,
            TokenLogProbabilities = output.TokenLogProbabilities?.Select(value => (double)value).ToArray(),
            Metadata = request?.Metadata,
            CompletedAt = endedAt,
        };
    }

    private static SpeculationSummary Summarize(TraceSummary trace) => new()
    {
        Policy = trace.Policy,
        SamplingMode = trace.SamplingMode,
        Seed = trace.Seed,
        Iterations = trace.Iterations,
        Proposed = trace.Proposed,
        Accepted = trace.Accepted,
        AcceptanceRate = trace.Proposed == 0 ? null : (double)trace.Accepted / trace.Proposed,
        // The prompt's own pass emits the first token and is not counted.
        BlockEfficiency = trace.Iterations == 0 ? 1 : (trace.CompletionTokens - 1) / (double)trace.Iterations,
        MeanKld = trace.MeanKld,
    };
}
