using System.Security.Cryptography;
using Dsde.Persistence.Jobs;

namespace Dsde.Persistence.Tests;

/// <summary>Claims and ends with plausible content.</summary>
internal static class TestJobs
{
    public static JobClaim Claim(
        Guid jobId,
        string content = "{\"prompt\": \"a\"}",
        Guid? batchId = null,
        string worker = "worker-1",
        string workload = "stories",
        int? batchJobCount = null
    ) =>
        new()
        {
            JobId = jobId,
            BatchId = batchId,
            BatchJobCount = batchJobCount,
            CustomId = "custom",
            Request = content,
            RequestHash = SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(content)),
            Model = "demo",
            Workload = workload,
            WorkerId = worker,
            WorkerStartId = StartOf(worker),
            SubmittedAt = new DateTimeOffset(2026, 1, 2, 3, 4, 3, TimeSpan.Zero),
            LeaseToken = Guid.NewGuid(),
            Lease = TimeSpan.FromMinutes(1),
        };

    /// <summary>The one start of a worker of a name.</summary>
    public static Guid StartOf(string worker) => new(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(worker)).AsSpan(0, 16));

    public static CompletedJobEnd Completed(JobLease lease, string text = "once upon a time") => new(lease, [Output(text)], [Trace()]);

    public static FailedJobEnd Failed(JobLease lease, string message = "x") =>
        new(lease, new JobFailure("engine_error", message, Retryable: true));

    public static JobLease Other(JobLease lease) => lease with { Token = Guid.NewGuid() };

    public static JobOutput Output(string text) =>
        new()
        {
            Text = text,
            FinishReason = "stop",
            PromptTokens = 7,
            CompletionTokens = 9,
            TokenIds = [1, 2, 3],
            TokenLogProbabilities = [-0.5f, -1],
        };

    public static JobTrace Trace(int iterations = 3, int length = 4) =>
        new()
        {
            Level = "tokens",
            Policy = "dsde",
            IsGuarded = true,
            Proposer = "both",
            SamplingMode = "greedy",
            Seed = -5,
            Temperature = 0,
            TopP = 1,
            TopK = 0,
            TargetModel = "target",
            DraftModel = "draft",
            Iterations = iterations,
            SpeculatingIterations = iterations - 1,
            PromptTokens = 7,
            CachedPromptTokens = 2,
            CompletionTokens = 9,
            Proposed = iterations * length,
            Accepted = iterations * 2,
            LookupProposed = length,
            LookupAccepted = 1,
            Forced = 2,
            MeanKld = 0.25f,
            MaxKld = 1.5f,
            VarianceKld = 0.1f,
            MeanBeta = 0.75f,
            MeanDraftEntropy = 0.5f,
            CalibrationMaxAccepted = 4,
            CalibrationMaxLength = 6,
            WaitingMs = 1,
            PrefillMs = 2,
            OthersMs = 6,
            DraftMs = 3,
            VerifyMs = 4,
            SamplingMs = 5,
            RestMs = 7,
            TotalMs = 28,
            FirstTokenMs = 3.5,
            PrefillShareMs = 0.5,
            DraftShareMs = 0.75,
            VerifyShareMs = 1,
            SamplingShareMs = 1.25,
            IterationLength = Fill(iterations, _ => length),
            IterationAccepted = Fill(iterations, i => i % (length + 1)),
            IterationWish = Fill(iterations, _ => length + 2),
            IterationAllowed = Fill(iterations, _ => length + 1),
            IterationDecidedBy = Fill(iterations, i => (short)(i % 4)),
            IterationPredictedLength = Fill(iterations, i => i == 0 ? (float?)null : 3.5f),
            IterationScaleFactor = Fill(iterations, i => i == 0 ? (float?)null : 0.1f * i),
            IterationWvir = Fill(iterations, i => i == 0 ? (float?)null : 1f + i),
            IterationCap = Fill(iterations, _ => (float?)null),
            IterationBatchSize = Fill(iterations, _ => 8),
            IterationBatchRows = Fill(iterations, _ => 8 * (length + 1)),
            IterationDraftMs = Fill(iterations, _ => 1.5f),
            IterationVerifyMs = Fill(iterations, _ => 6.5f),
            IterationProposedBy = Fill(iterations, i => (short)(i % 3)),
            IterationForced = Fill(iterations, i => i == 0 ? 2 : 0),
            ProposalKld = Fill(iterations * length, i => i == 1 ? (float?)null : 0.1f * i),
            ProposalBeta = Fill(iterations * length, i => i == 1 ? (float?)null : 1f / (1 + i)),
            ProposalDraftEntropy = Fill(iterations * length, i => i == 1 ? (float?)null : 0.2f * i),
            ProposalOnPath = Fill(iterations * length, i => i % 4 != 3),
            TokenMargin = Fill(9, i => 0.5f * i),
            TokenDraftMatch = Fill(9, i => (short)((i % 3) - 1)),
        };

    private static T[] Fill<T>(int count, Func<int, T> value) => [.. Enumerable.Range(0, count).Select(value)];
}
