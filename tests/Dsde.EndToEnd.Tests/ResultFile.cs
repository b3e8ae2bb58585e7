using System.Text.Json;

namespace Dsde.EndToEnd.Tests;

/// <summary>A line of results.jsonl.</summary>
/// <param name="CustomId">The submitter's id.</param>
/// <param name="Text">The output.</param>
/// <param name="Line">The whole line.</param>
internal sealed record ResultLine(string CustomId, string Text, JsonElement Line)
{
    public static IReadOnlyList<ResultLine> Read(string path) => [.. File.ReadLines(path).Select(Parse)];

    private static ResultLine Parse(string line)
    {
        var root = JsonDocument.Parse(line).RootElement;
        var choice = root.GetProperty("response").GetProperty("body").GetProperty("choices")[0];
        var text = choice.TryGetProperty("message", out var message) ? message.GetProperty("content") : choice.GetProperty("text");
        return new ResultLine(root.GetProperty("custom_id").GetString() ?? "", text.GetString() ?? "", root);
    }
}
