using Dsde.Persistence.Analysis;
using Dsde.Persistence.Jobs;

namespace Dsde.Analytics.Tests.Reporting;

/// <summary>Traces written down by hand.</summary>
internal static class HandMadeTrace
{
    /// <summary>A trace of so many tokens; one of the prompt's pass, and of each iteration the accepted ones and one more.</summary>
    public static JobTrace Of(int[] lengths, int[] accepted, float[]? klds = null, float[]? betas = null, int? tokens = null) =>
        new()
        {
            Level = "tokens",
            Policy = "static:4",
            IsGuarded = false,
            Proposer = "draft",
            SamplingMode = "greedy",
            Seed = 1,
            Temperature = 0,
            TopP = 1,
            TopK = 0,
            TargetModel = "target",
            Iterations = lengths.Length,
            SpeculatingIterations = lengths.Count(length => length > 0),
            PromptTokens = 5,
            CachedPromptTokens = 0,
            CompletionTokens = tokens ?? (1 + accepted.Sum() + accepted.Length),
            Proposed = lengths.Sum(),
            Accepted = accepted.Sum(),
            MeanKld = klds is { Length: > 0 } ? klds.Average() : null,
            WaitingMs = 1,
            PrefillMs = 2,
            OthersMs = 3,
            DraftMs = 4,
            VerifyMs = 5,
            SamplingMs = 6,
            RestMs = 7,
            TotalMs = 28,
            PrefillShareMs = 1,
            DraftShareMs = 2,
            VerifyShareMs = 3,
            SamplingShareMs = 4,
            IterationLength = lengths,
            IterationAccepted = accepted,
            ProposalKld = klds?.Select(value => (float?)value).ToArray(),
            ProposalBeta = betas?.Select(value => (float?)value).ToArray(),
        };

    /// <summary>The same as it is read from a database.</summary>
    public static StoredTrace Stored(JobTrace trace, string? workload = null) =>
        new()
        {
            JobId = Guid.NewGuid(),
            Choice = 0,
            Workload = workload,
            WorkerId = "worker",
            StoredAt = DateTimeOffset.UnixEpoch,
            Trace = trace,
        };

    /// <summary>The same without its series.</summary>
    public static StoredSummary Summary(JobTrace trace, double queueMs = 10, double endToEndMs = 50, string workload = "stories") =>
        new()
        {
            JobId = Guid.NewGuid(),
            Choice = 0,
            Workload = workload,
            WorkerId = "worker",
            SubmittedAt = DateTimeOffset.UnixEpoch,
            CreatedAt = DateTimeOffset.UnixEpoch.AddMilliseconds(queueMs),
            StoredAt = DateTimeOffset.UnixEpoch.AddMilliseconds(endToEndMs),
            Trace = trace,
        };
}
