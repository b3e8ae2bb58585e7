using System.Text.Json;

namespace Dsde.PeerBench;

/// <summary>Plain prompts of a job file in OpenAI's batch format.</summary>
internal static class Prompts
{
    /// <summary>The first ones; those of a short file over again.</summary>
    /// <exception cref="InvalidDataException">It has none.</exception>
    public static IReadOnlyList<string> Read(string path, int count)
    {
        var found = File.ReadLines(path)
            .Where(line => line.Length > 0)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("body"))
            .Where(body => body.TryGetProperty("prompt", out var prompt) && prompt.ValueKind == JsonValueKind.String)
            .Select(body => body.GetProperty("prompt").GetString()!)
            .ToList();
        return found.Count == 0
            ? throw new InvalidDataException($"{path} has no line with a text as \"prompt\".")
            : [.. Enumerable.Range(0, count).Select(i => found[i % found.Count])];
    }
}
