using System.Text.Json;
using Dsde.Engine.Sampling;
using Dsde.Testing;

namespace Dsde.Engine.Tests.Generation;

/// <summary>The sample prompts, and the demo pair they are meant for.</summary>
internal static class DemoSamples
{
    public static readonly string Target = Repository.PathOf("models", "dsde-demo-target");
    public static readonly string Draft = Repository.PathOf("models", "dsde-demo-draft");

    /// <summary>Greedy requests of all sample prompts.</summary>
    public static List<GenerationRequest> Read(IPromptEncoder encoder) =>
        [
            .. File.ReadLines(Repository.PathOf("samples", "mixed.jsonl"))
                .Select(line => ToRequest(JsonDocument.Parse(line).RootElement.GetProperty("body"), encoder)),
        ];

    private static GenerationRequest ToRequest(JsonElement body, IPromptEncoder encoder) =>
        new()
        {
            PromptTokenIds = body.TryGetProperty("prompt", out var prompt)
                ? encoder.Encode(prompt.GetString()!)
                : encoder.EncodeChat([
                    .. body.GetProperty("messages")
                        .EnumerateArray()
                        .Select(turn => new ChatTurn(turn.GetProperty("role").GetString()!, turn.GetProperty("content").GetString()!)),
                ]),
            MaxTokens = body.GetProperty("max_tokens").GetInt32(),
            Sampling = new SamplingParameters { Temperature = 0 },
        };
}
