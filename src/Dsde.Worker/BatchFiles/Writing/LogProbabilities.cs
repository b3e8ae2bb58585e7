using System.Globalization;
using System.Text.Json;
using Dsde.Contracts;

namespace Dsde.Worker.BatchFiles.Writing;

/// <summary>
/// The <c>logprobs</c> of a choice. Tokens are named <c>token_id:N</c>: a token's bytes alone are often no valid text, and results are written
/// where no tokenizer is loaded.
/// </summary>
internal static class LogProbabilities
{
    public static void Write(Utf8JsonWriter json, bool isChat, GenerationJobCompleted job)
    {
        if (job.TokenLogProbabilities is not { } values)
        {
            json.WriteNull("logprobs");
            return;
        }

        var names = Enumerable.Range(0, values.Count)
            .Select(index => job.TokenIds is { } ids ? string.Create(CultureInfo.InvariantCulture, $"token_id:{ids[index]}") : "");
        json.WriteStartObject("logprobs");
        if (isChat)
        {
            WriteContent(json, names, values);
        }
        else
        {
            WriteLists(json, names, values);
        }

        json.WriteEndObject();
    }

    private static void WriteContent(Utf8JsonWriter json, IEnumerable<string> names, IReadOnlyList<double> values)
    {
        json.WriteStartArray("content");
        foreach (var (name, value) in names.Zip(values))
        {
            json.WriteStartObject();
            json.WriteString("token", name);
            json.WriteNumber("logprob", value);
            json.WriteNull("bytes");
            json.WriteStartArray("top_logprobs");
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteLists(Utf8JsonWriter json, IEnumerable<string> names, IReadOnlyList<double> values)
    {
        json.WriteStartArray("tokens");
        foreach (var name in names)
        {
            json.WriteStringValue(name);
        }

        json.WriteEndArray();
        json.WriteStartArray("token_logprobs");
        foreach (var value in values)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
        json.WriteNull("top_logprobs");
        json.WriteNull("text_offset");
    }
}
