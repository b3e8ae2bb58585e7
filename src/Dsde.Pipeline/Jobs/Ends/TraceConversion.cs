using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Telemetry;
using Dsde.Speculation;

namespace Dsde.Pipeline.Jobs.Ends;

/// <summary>The engine's telemetry as the database keeps it. What has no value is NaN there and null here.</summary>
internal static class TraceConversion
{
    public static JobTrace ToJobTrace(GenerationResult result, GenerationRequest request, EngineDescription engine)
    {
        var trace = result.Trace;
        var kld = trace.Proposals.Kld.Where(value => !float.IsNaN(value)).ToArray(); // of the draft's proposals
        var mean = kld.Length == 0 ? (double?)null : kld.Average(value => (double)value);
        return new JobTrace
        {
            Level = TraceLevel.Replay, // as much as there is
            Policy = trace.Policy,
            IsGuarded = trace.IsGuarded,
            Proposer = trace.Proposer.ToText(),
            SamplingMode = NameOf(trace.SamplingMode),
            Seed = unchecked((long)trace.Seed),
            Temperature = request.Sampling.Temperature,
            TopP = request.Sampling.TopP,
            TopK = request.Sampling.TopK,
            TargetModel = engine.Target,
            DraftModel = engine.Draft,
            Iterations = trace.Iterations.SpeculationLength.Length,
            SpeculatingIterations = trace.Iterations.SpeculationLength.Count(length => length > 0),
            PromptTokens = trace.PromptTokens,
            CachedPromptTokens = trace.ReusedPromptTokens,
            CompletionTokens = trace.CompletionTokens,
            Proposed = trace.Proposed,
            Accepted = trace.Accepted,
            LookupProposed = trace.LookupProposed,
            LookupAccepted = trace.LookupAccepted,
            Forced = trace.Forced,
            MeanKld = (float?)mean,
            MaxKld = kld.Length == 0 ? null : kld.Max(),
            VarianceKld = mean is { } average ? (float)kld.Average(value => (value - average) * (value - average)) : null,
            MeanBeta = MeanOf(trace.Proposals.Beta),
            MeanDraftEntropy = MeanOf(trace.Proposals.DraftEntropy),
            CalibrationMaxAccepted = trace.CalibrationMaxAccepted,
            CalibrationMaxLength = trace.CalibrationMaxLength,
            WaitingMs = trace.Times.WaitingMs,
            PrefillMs = trace.Times.PrefillMs,
            OthersMs = trace.Times.OthersMs,
            DraftMs = trace.Times.DraftMs,
            VerifyMs = trace.Times.VerifyMs,
            SamplingMs = trace.Times.SamplingMs,
            RestMs = trace.Times.RestMs,
            TotalMs = trace.Times.TotalMs,
            FirstTokenMs = trace.Times.FirstTokenMs,
            PrefillShareMs = trace.Times.PrefillShareMs,
            DraftShareMs = trace.Times.DraftShareMs,
            VerifyShareMs = trace.Times.VerifyShareMs,
            SamplingShareMs = trace.Times.SamplingShareMs,
            IterationLength = trace.Iterations.SpeculationLength,
            IterationAccepted = trace.Iterations.Accepted,
            IterationWish = trace.Iterations.Wish,
            IterationAllowed = trace.Iterations.Allowed,
            IterationDecidedBy = [.. trace.Iterations.DecidedBy.Select(decider => (short)decider)],
            IterationPredictedLength = NaNToNull(trace.Iterations.PredictedLength),
            IterationScaleFactor = NaNToNull(trace.Iterations.ScaleFactor),
            IterationWvir = NaNToNull(trace.Iterations.Wvir),
            IterationCap = NaNToNull(trace.Iterations.Cap),
            IterationBatchSize = trace.Iterations.BatchSize,
            IterationBatchRows = trace.Iterations.BatchRows,
            IterationDraftMs = trace.Iterations.DraftMs,
            IterationVerifyMs = trace.Iterations.VerifyMs,
            IterationProposedBy = [.. trace.Iterations.ProposedBy.Select(by => (short)by)],
            IterationForced = Array.Exists(trace.Iterations.Forced, forced => forced > 0) ? trace.Iterations.Forced : null,
            ProposalKld = NaNToNull(trace.Proposals.Kld),
            ProposalBeta = NaNToNull(trace.Proposals.Beta),
            ProposalDraftEntropy = NaNToNull(trace.Proposals.DraftEntropy),
            ProposalOnPath = trace.Proposals.OnPath,
            TokenMargin = trace.Tokens.Margin,
            TokenDraftMatch = [.. trace.Tokens.DraftMatch.Select(match => (short)match)],
            SurveyLength = trace.Survey?.Iterations.SpeculationLength,
            SurveyAccepted = trace.Survey?.Iterations.Accepted,
            SurveyKld = trace.Survey?.Proposals.Kld,
            SurveyBeta = trace.Survey?.Proposals.Beta,
            SurveyDraftEntropy = trace.Survey?.Proposals.DraftEntropy,
        };
    }

    public static JobOutput ToJobOutput(
        GenerationResult result,
        GenerationRequest request,
        SubmitGenerationJob job,
        int output,
        IPromptEncoder vocabulary
    )
    {
        var choices = job.ChoiceCount ?? 1;
        var (withTokenIds, withLogProbabilities) = (job.ReturnTokenIds == true, job.ReturnLogProbabilities == true);
        TokenLogProbability[]? top =
            request.TopLogProbabilityCount > 0 ? [.. result.TopLogProbabilities.SelectMany(tokens => tokens)] : null;
        return new JobOutput
        {
            Text = result.Text,
            FinishReason = NameOf(result.FinishReason),
            PromptIndex = output / choices,
            PromptTokens = result.Trace.PromptTokens,
            CompletionTokens = result.Trace.CompletionTokens,
            // Log-probabilities are shown token by token, which takes the ids as well.
            TokenIds = withTokenIds || withLogProbabilities ? [.. result.TokenIds] : null,
            PromptTokenIds = withTokenIds && output % choices == 0 ? [.. request.PromptTokenIds] : null,
            TokenLogProbabilities = withLogProbabilities ? [.. result.TokenLogProbabilities] : null,
            TopTokenIds = top is null ? null : Array.ConvertAll(top, token => token.TokenId),
            TopLogProbabilities = top is null ? null : Array.ConvertAll(top, token => token.LogProbability),
            // Results are written where no tokenizer is loaded.
            TokenBytes =
                withLogProbabilities && job.ReturnTokensAsTokenIds != true
                    ? PackedTokens.Pack([.. result.TokenIds, .. (top ?? []).Select(token => token.TokenId)], vocabulary)
                    : null,
        };
    }

    private static string NameOf(FinishReason reason) =>
        reason switch
        {
            FinishReason.Stop => "stop",
            FinishReason.Length => "length",
            FinishReason.Cancelled => "cancelled",
            FinishReason.Expired => "expired",
            _ => throw new ArgumentException($"An output that is {reason} has not ended.", nameof(reason)),
        };

    private static string NameOf(Engine.Sampling.SamplingMode mode) =>
        mode switch
        {
            Engine.Sampling.SamplingMode.Greedy => "greedy",
            Engine.Sampling.SamplingMode.Coupled => "coupled",
            _ => "rejection",
        };

    private static float? MeanOf(float[] values) =>
        (float?)values.Where(value => !float.IsNaN(value)).Select(value => (double?)value).Average();

    private static float?[] NaNToNull(float[] values) => [.. values.Select(value => float.IsFinite(value) ? value : (float?)null)];
}
