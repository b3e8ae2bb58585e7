using Dsde.Engine.Sampling;
using Dsde.Speculation;

namespace Dsde.Engine;

/// <summary>Refuses requests that can never run, before they get near the batch.</summary>
internal static class RequestCheck
{
    private const int MostTopLogProbabilities = 20;

    /// <exception cref="ArgumentException">What is wrong, with the value and what is allowed.</exception>
    public static void Require(GenerationRequest request, EngineDescription engine)
    {
        var prompt = request.PromptTokenIds;
        Require(prompt.Count > 0, "The prompt has no tokens; give at least one.");
        Require(
            prompt.Count < engine.ContextLength,
            $"The prompt has {prompt.Count} tokens, but the context holds {engine.ContextLength} with the output; give at most "
                + $"{engine.ContextLength - 1}."
        );
        foreach (var id in prompt)
        {
            RequireInVocabulary(id, "Token", engine);
        }

        if (request.ResumeFrom is { } checkpoint)
        {
            RequireFitting(checkpoint, request, engine);
        }

        Require(request.MaxTokens >= 1, $"MaxTokens is {request.MaxTokens}; give at least 1.");
        Require(request.StopStrings.All(stop => stop.Length > 0), "A stop string is empty; leave it out.");
        Require(
            request.TopLogProbabilityCount is >= 0 and <= MostTopLogProbabilities,
            $"TopLogProbabilityCount is {request.TopLogProbabilityCount}; give 0 to {MostTopLogProbabilities}."
        );
        foreach (var id in request.StopTokenIds)
        {
            RequireInVocabulary(id, "Stop token", engine);
        }

        Require(
            request.Grammar is null || !request.IgnoreEos,
            "IgnoreEos is set, but an output of a grammar ends where the grammar says; leave one of the two out."
        );
        RequireSampling(request.Sampling, engine);
        Require(
            engine.CanPropose(request.Policy, request.Proposer),
            $"Policy {request.Policy?.ToString() ?? engine.DefaultPolicy} with proposer "
                + $"{(request.Proposer ?? engine.DefaultProposer).ToText()} needs a draft model, and none is loaded; "
                + $"use proposer lookup, or "
                + "policy autoregressive."
        );
    }

    private static void RequireSampling(SamplingParameters sampling, EngineDescription engine)
    {
        Require(sampling.Temperature is >= 0f and <= 2f, $"Temperature is {sampling.Temperature}; give 0 (greedy) to 2.");
        Require(sampling.TopP is > 0f and <= 1f, $"TopP is {sampling.TopP}; give more than 0 and at most 1 (off).");
        Require(sampling.TopK >= 0, $"TopK is {sampling.TopK}; give 0 (off) or more.");
        Require(sampling.MinP is >= 0f and <= 1f, $"MinP is {sampling.MinP}; give 0 (off) to 1.");
        Require(
            sampling.RepetitionPenalty
                is >= SamplingParameters.SmallestRepetitionPenalty
                    and <= SamplingParameters.LargestRepetitionPenalty,
            $"RepetitionPenalty is {sampling.RepetitionPenalty}; give {SamplingParameters.SmallestRepetitionPenalty} to "
                + $"{SamplingParameters.LargestRepetitionPenalty}; 1 is off."
        );
        Require(sampling.PresencePenalty is >= -2f and <= 2f, $"PresencePenalty is {sampling.PresencePenalty}; give -2 to 2; 0 is off.");
        Require(sampling.FrequencyPenalty is >= -2f and <= 2f, $"FrequencyPenalty is {sampling.FrequencyPenalty}; give -2 to 2; 0 is off.");
        Require(
            sampling.IsGreedy || sampling.Mode is null or SamplingMode.Rejection or SamplingMode.Coupled,
            $"Mode is {sampling.Mode} at temperature {sampling.Temperature}; give Rejection or Coupled, or null for the engine's default."
        );
        foreach (var (id, bias) in sampling.LogitBias)
        {
            RequireInVocabulary(id, "Biased token", engine);
            Require(bias is >= -100f and <= 100f, $"The bias of token {id} is {bias}; give -100 to 100.");
        }
    }

    private static void RequireInVocabulary(int id, string what, EngineDescription engine) =>
        Require(
            id >= 0 && id < engine.VocabularySize,
            $"{what} id {id} is not in the vocabulary; ids go from 0 to {engine.VocabularySize - 1}."
        );

    private static void RequireFitting(SequenceCheckpoint checkpoint, GenerationRequest request, EngineDescription engine)
    {
        Require(
            checkpoint.Version == SequenceCheckpoint.CurrentVersion,
            $"The checkpoint has version {checkpoint.Version}; this engine reads version {SequenceCheckpoint.CurrentVersion}. Start "
                + "the request anew."
        );
        Require(
            checkpoint.PromptDigest == SequenceCheckpoint.DigestOf(request.PromptTokenIds)
                && checkpoint.Trace.Seed == request.Sampling.Seed,
            "The checkpoint belongs to another prompt or seed."
        );
        var count = checkpoint.TokenIds.Length;
        var length = request.PromptTokenIds.Count + count;
        Require(
            count < request.MaxTokens && length < engine.ContextLength,
            $"The checkpoint has {count} tokens, which leaves nothing to be generated of {request.MaxTokens} in a context of "
                + $"{engine.ContextLength}."
        );
        Require(
            checkpoint.TokenIds.All(id => id >= 0 && id < engine.VocabularySize),
            "The checkpoint has token ids that are not in the vocabulary."
        );
        Require(
            checkpoint.DraftLength >= 0 && checkpoint.DraftLength < length && HasEvenSeries(checkpoint),
            "The checkpoint contradicts itself; start the request anew."
        );
    }

    /// <summary>
    /// Whether each series has an entry for each token, iteration and proposal: what goes on adds to them and looks into them.
    /// </summary>
    private static bool HasEvenSeries(SequenceCheckpoint checkpoint)
    {
        var (trace, tokens) = (checkpoint.Trace, checkpoint.TokenIds.Length);
        var (steps, proposals) = (trace.Iterations, trace.Proposals);
        var (iterations, proposed) = (steps.SpeculationLength.Length, steps.SpeculationLength.Sum(length => (long)length));
        return checkpoint.TokenLogProbabilities.Length == tokens
            && (checkpoint.TopLogProbabilities.Count == 0 || checkpoint.TopLogProbabilities.Count == tokens)
            && trace.Tokens.Margin.Length == tokens
            && trace.Tokens.DraftMatch.Length == tokens
            && steps.Accepted.Length == iterations
            && steps.PredictedLength.Length == iterations
            && steps.ScaleFactor.Length == iterations
            && steps.Wvir.Length == iterations
            && steps.Cap.Length == iterations
            && steps.BatchSize.Length == iterations
            && steps.BatchRows.Length == iterations
            && steps.Forced.Length == iterations
            && steps.DraftMs.Length == iterations
            && steps.VerifyMs.Length == iterations
            && steps.Wish.Length == iterations
            && steps.Allowed.Length == iterations
            && steps.DecidedBy.Length == iterations
            && steps.ProposedBy.Length == iterations
            && proposals.Kld.Length == proposed
            && proposals.Beta.Length == proposed
            && proposals.DraftEntropy.Length == proposed
            && proposals.OnPath.Length == proposed
            && trace.ReusedPromptTokens >= 0;
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new ArgumentException(message);
        }
    }
}
