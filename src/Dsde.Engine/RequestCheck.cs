using Dsde.Engine.Speculation;

namespace Dsde.Engine;

/// <summary>Refuses requests that can never run, before they get near the batch.</summary>
internal static class RequestCheck
{
    /// <exception cref="ArgumentException">What is wrong, with the value and what is allowed.</exception>
    public static void Require(GenerationRequest request, EngineDescription engine)
    {
        var prompt = request.PromptTokenIds;
        Require(prompt.Count > 0, "The prompt has no tokens; give at least one.");
        Require(
            prompt.Count < engine.ContextLength,
            $"The prompt has {prompt.Count} tokens, but the context holds {engine.ContextLength} with the output; give at most {engine.ContextLength - 1}.");
        foreach (var id in prompt)
        {
            Require(id >= 0 && id < engine.VocabularySize, $"Token id {id} is not in the vocabulary; ids go from 0 to {engine.VocabularySize - 1}.");
        }

        Require(request.MaxTokens >= 1, $"MaxTokens is {request.MaxTokens}; give at least 1.");
        Require(request.StopStrings.All(stop => stop.Length > 0), "A stop string is empty; leave it out.");
        var sampling = request.Sampling;
        Require(sampling.Temperature is >= 0f and <= 2f, $"Temperature is {sampling.Temperature}; give 0 (greedy) to 2.");
        Require(sampling.TopP is > 0f and <= 1f, $"TopP is {sampling.TopP}; give more than 0 and at most 1 (off).");
        Require(sampling.TopK >= 0, $"TopK is {sampling.TopK}; give 0 (off) or more.");
        Require(
            engine.Draft is not null || request.Policy is null or { Kind: PolicyKind.Autoregressive },
            $"Policy {request.Policy} needs a draft model, and none is loaded; use autoregressive.");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new ArgumentException(message);
        }
    }
}
