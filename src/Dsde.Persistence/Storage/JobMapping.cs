using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;

namespace Dsde.Persistence.Storage;

/// <summary>From rows to jobs.</summary>
internal static class JobMapping
{
    public static StoredJob ToJob(GenerationJob row, TraceSummary? trace) => new()
    {
        JobId = row.JobId,
        BatchId = row.BatchId,
        CustomId = row.CustomId,
        Request = row.Request,
        Model = row.Model,
        Workload = row.Workload,
        State = row.State,
        CreatedAt = row.CreatedAt,
        EndedAt = row.EndedAt,
        Attempt = row.Attempt,
        Output = row.State == JobState.Completed ? ToOutput(row) : null,
        Trace = trace,
        Failure = row.FailureCode is { } code ? new JobFailure(code, row.FailureMessage ?? "", row.FailureRetryable ?? false) : null,
        CancelReason = row.CancelReason,
    };

    private static JobOutput ToOutput(GenerationJob row) => new()
    {
        Text = row.Text ?? "",
        FinishReason = row.FinishReason ?? "",
        PromptTokens = row.PromptTokens ?? 0,
        CompletionTokens = row.CompletionTokens ?? 0,
        TokenIds = row.TokenIds,
        PromptTokenIds = row.PromptTokenIds,
        TokenLogProbabilities = row.TokenLogProbabilities,
    };
}
