using System.Runtime.CompilerServices;
using Dsde.Persistence.Analysis;
using Dsde.Persistence.Jobs;

namespace Dsde.Analytics.Tests;

/// <summary>Stored traces written down by hand.</summary>
internal static class Traces
{
    public static JobTrace Trace(string policy = "static:2", int tokens = 4) =>
        new()
        {
            Level = TraceLevel.Tokens,
            Policy = policy,
            IsGuarded = false,
            Proposer = "draft",
            SamplingMode = "greedy",
            Seed = 1,
            Temperature = 0,
            TopP = 1,
            TopK = 0,
            TargetModel = "target",
            DraftModel = "draft",
            Iterations = 0,
            SpeculatingIterations = 0,
            PromptTokens = 5,
            CachedPromptTokens = 0,
            CompletionTokens = tokens,
            Proposed = 0,
            Accepted = 0,
            WaitingMs = 0,
            PrefillMs = 0,
            OthersMs = 0,
            DraftMs = 0,
            VerifyMs = 0,
            SamplingMs = 0,
            RestMs = 0,
            TotalMs = 0,
            PrefillShareMs = 0,
            DraftShareMs = 0,
            VerifyShareMs = 0,
            SamplingShareMs = 0,
        };

    /// <summary>With iterations: proposed and accepted of each, alone in their batch; a row costs 1 ms, a draft step a tenth.</summary>
    public static JobTrace WithIterations(this JobTrace trace, params (int Proposed, int Accepted)[] iterations)
    {
        var proposed = iterations.Sum(one => one.Proposed);
        var emitted = 1 + iterations.Sum(one => one.Accepted + 1);
        return trace with
        {
            CompletionTokens = emitted,
            Iterations = iterations.Length,
            SpeculatingIterations = iterations.Count(one => one.Proposed > 0),
            Proposed = proposed,
            Accepted = iterations.Sum(one => one.Accepted),
            DraftMs = 0.1 * proposed,
            DraftShareMs = 0.1 * proposed,
            VerifyMs = iterations.Sum(one => one.Proposed + 1),
            VerifyShareMs = iterations.Sum(one => one.Proposed + 1),
            TotalMs = iterations.Sum(one => (1.1 * one.Proposed) + 1),
            IterationLength = [.. iterations.Select(one => one.Proposed)],
            IterationAccepted = [.. iterations.Select(one => one.Accepted)],
            IterationBatchSize = [.. iterations.Select(_ => 1)],
            IterationBatchRows = [.. iterations.Select(one => one.Proposed + 1)],
            IterationDraftMs = [.. iterations.Select(one => 0.1f * one.Proposed)],
            IterationVerifyMs = [.. iterations.Select(one => (float)one.Proposed + 1)],
            ProposalKld = [.. Enumerable.Repeat((float?)0, proposed)],
            ProposalBeta = [.. Enumerable.Repeat((float?)0, proposed)],
            ProposalDraftEntropy = [.. Enumerable.Repeat((float?)0, proposed)],
            TokenDraftMatch = [.. Enumerable.Repeat((short)-1, emitted)],
        };
    }

    public static StoredTrace Stored(this JobTrace trace, string name = "a", string? prompt = null, double endedAtMs = 0) =>
        new()
        {
            JobId = Guid.NewGuid(),
            Choice = 0,
            CustomId = name,
            Request = prompt is null ? null : $$"""{"jobId":"{{Guid.Empty}}","model":"demo","prompt":"{{prompt}}","maxTokens":100}""",
            FinishReason = "length",
            WorkerId = "worker",
            StoredAt = DateTimeOffset.UnixEpoch.AddMilliseconds(endedAtMs),
            Trace = trace,
        };

    /// <summary>A reader of these; what is filtered for is the test's concern.</summary>
    public static ITraceReader Reader(params IReadOnlyList<StoredTrace> traces) => new GivenTraces(traces);

    private sealed class GivenTraces(IReadOnlyList<StoredTrace> traces) : ITraceReader
    {
        public async IAsyncEnumerable<StoredTrace> ReadAsync(
            TraceFilter filter,
            [EnumeratorCancellation] CancellationToken cancellationToken
        )
        {
            foreach (var trace in traces)
            {
                await Task.Yield();
                yield return trace;
            }
        }

        public Task<IReadOnlyDictionary<Guid, string>> ReadCostProfilesAsync(CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyDictionary<Guid, string>>(new Dictionary<Guid, string>());
    }
}
