using Dsde.Contracts;

namespace Dsde.Batches.Tests.Reporting;

/// <summary>Events for tests.</summary>
internal static class Ends
{
    public static GenerationJobCompleted Completed(
        Guid? batchId = null,
        string? workload = null,
        int tokens = 9,
        int iterations = 2,
        int proposed = 8,
        int accepted = 6,
        double? meanKld = 0.5,
        double latencyMs = 100,
        bool? paid = null
    ) =>
        new()
        {
            JobId = Guid.NewGuid(),
            BatchId = batchId,
            Model = "m",
            Text = "text",
            FinishReason = "stop",
            Usage = new GenerationUsage { PromptTokens = 3, CompletionTokens = tokens },
            Timings = new GenerationTimings
            {
                WaitingMs = 0,
                PrefillMs = 0,
                DraftMs = 0,
                VerifyMs = 0,
                SamplingMs = 0,
                TotalMs = latencyMs,
            },
            Speculation = new SpeculationSummary
            {
                Policy = "dsde",
                Proposer = "draft",
                SamplingMode = "greedy",
                Seed = 1,
                Iterations = iterations,
                SpeculatingIterations = 0,
                Paid = paid,
                Proposed = proposed,
                Accepted = accepted,
                BlockEfficiency = 1,
                MeanKld = meanKld,
            },
            Metadata = Labels(workload),
            CompletedAt = DateTimeOffset.UnixEpoch,
        };

    public static GenerationJobFailed Failed(Guid? batchId = null, string? workload = null) =>
        new()
        {
            JobId = Guid.NewGuid(),
            BatchId = batchId,
            Code = FailureCodes.InvalidRequest,
            Message = "temperature is -1; give 0 (greedy) to 2.",
            Retryable = false,
            Metadata = Labels(workload),
            FailedAt = DateTimeOffset.UnixEpoch,
        };

    private static Dictionary<string, string>? Labels(string? workload) =>
        workload is null ? null : new Dictionary<string, string> { ["workload"] = workload };
}
