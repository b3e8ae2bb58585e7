using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;

namespace Dsde.Persistence.Storage;

/// <summary>Between rows and jobs.</summary>
internal static class JobMapping
{
    /// <summary>A job with its outputs. <paramref name="choices"/> and <paramref name="traces"/>: this job's, in order.</summary>
    public static StoredJob ToJob(GenerationJob row, IEnumerable<JobChoice> choices, IEnumerable<TraceSummary> traces) =>
        new()
        {
            JobId = row.JobId,
            BatchId = row.BatchId,
            CustomId = row.CustomId,
            Request = row.Request,
            RequestHash = row.RequestHash,
            Model = row.Model,
            Workload = row.Workload,
            State = row.State,
            CreatedAt = row.CreatedAt,
            IsCancelRequested = row.CancelRequestedAt is not null,
            EndedAt = row.EndedAt,
            Attempt = row.Attempt,
            Reopenings = row.Reopenings,
            Outputs = row.FinishReason is null ? [] : [ToOutput(row), .. choices.Select(ToOutput)],
            Traces = [.. traces],
            Failure = row.FailureCode is { } code ? new JobFailure(code, row.FailureMessage ?? "", row.FailureRetryable ?? false) : null,
            CancelReason = row.CancelReason,
        };

    /// <summary>Rows of the outputs that the job's own row has no place for.</summary>
    public static IEnumerable<JobChoice> ToChoices(JobEnd end) =>
        end
            .Outputs.Select(
                (output, choice) =>
                    new JobChoice
                    {
                        JobId = end.Lease.JobId,
                        Choice = choice,
                        Text = output.Text,
                        FinishReason = output.FinishReason,
                        PromptIndex = output.PromptIndex,
                        PromptTokens = output.PromptTokens,
                        CompletionTokens = output.CompletionTokens,
                        TokenIds = output.TokenIds,
                        PromptTokenIds = output.PromptTokenIds,
                        TokenLogProbabilities = output.TokenLogProbabilities,
                        TopTokenIds = output.TopTokenIds,
                        TopLogProbabilities = output.TopLogProbabilities,
                        TokenBytes = output.TokenBytes,
                    }
            )
            .Skip(1);

    /// <summary>What a job is after an end.</summary>
    public static JobState StateOf(JobEnd end) =>
        end switch
        {
            CompletedJobEnd => JobState.Completed,
            FailedJobEnd => JobState.Failed,
            CancelledJobEnd => JobState.Cancelled,
            _ => throw new ArgumentException($"An end of type {end.GetType().Name} is not known.", nameof(end)),
        };

    /// <summary>Ends a job's row.</summary>
    public static void SetEnd(GenerationJob row, JobEnd end, DateTimeOffset now)
    {
        (row.EndedAt, row.LeaseUntil, row.IsStarted, row.IsAlone) = (now, null, false, false);
        row.State = StateOf(end);
        row.CancelReason = (end as CancelledJobEnd)?.Reason;
        if (end is FailedJobEnd { Failure: var failure })
        {
            (row.FailureCode, row.FailureMessage, row.FailureRetryable) = (failure.Code, failure.Message, failure.Retryable);
        }

        if (end.Outputs is [var output, ..])
        {
            (row.Text, row.FinishReason, row.PromptTokens, row.CompletionTokens) = (
                output.Text,
                output.FinishReason,
                output.PromptTokens,
                output.CompletionTokens
            );
            (row.TokenIds, row.PromptTokenIds, row.TokenLogProbabilities) = (
                output.TokenIds,
                output.PromptTokenIds,
                output.TokenLogProbabilities
            );
            (row.TopTokenIds, row.TopLogProbabilities, row.TokenBytes) = (
                output.TopTokenIds,
                output.TopLogProbabilities,
                output.TokenBytes
            );
        }
    }

    private static JobOutput ToOutput(GenerationJob row) =>
        new()
        {
            Text = row.Text,
            FinishReason = row.FinishReason ?? "",
            PromptTokens = row.PromptTokens ?? 0,
            CompletionTokens = row.CompletionTokens ?? 0,
            TokenIds = row.TokenIds,
            PromptTokenIds = row.PromptTokenIds,
            TokenLogProbabilities = row.TokenLogProbabilities,
            TopTokenIds = row.TopTokenIds,
            TopLogProbabilities = row.TopLogProbabilities,
            TokenBytes = row.TokenBytes,
        };

    private static JobOutput ToOutput(JobChoice row) =>
        new()
        {
            Text = row.Text,
            FinishReason = row.FinishReason,
            PromptIndex = row.PromptIndex,
            PromptTokens = row.PromptTokens,
            CompletionTokens = row.CompletionTokens,
            TokenIds = row.TokenIds,
            PromptTokenIds = row.PromptTokenIds,
            TokenLogProbabilities = row.TokenLogProbabilities,
            TopTokenIds = row.TopTokenIds,
            TopLogProbabilities = row.TopLogProbabilities,
            TokenBytes = row.TokenBytes,
        };
}
