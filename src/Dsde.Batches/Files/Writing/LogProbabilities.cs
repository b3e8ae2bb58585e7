using System.Globalization;
using System.Text.Json;
using Dsde.Contracts;

namespace Dsde.Batches.Files.Writing;

/// <summary>
/// The <c>logprobs</c> of a choice. Tokens are named <c>token_id:N</c>: a token's bytes alone are often no valid text, and results are
/// written where no tokenizer is loaded.
/// </summary>
internal static class LogProbabilities
{
    public static void Write(Utf8JsonWriter json, bool isChat, GenerationChoice choice)
    {
        if (choice.TokenLogProbabilities is not { } values)
        {
            json.WriteNull("logprobs");
            return;
        }

        var names = Enumerable.Range(0, values.Count).Select(index => choice.TokenIds is { } ids ? NameOf(ids[index]) : "");
        json.WriteStartObject("logprobs");
        if (isChat)
        {
            WriteContent(json, names, values, choice.TopLogProbabilities);
        }
        else
        {
            WriteLists(json, names, values, choice.TopLogProbabilities);
        }

        json.WriteEndObject();
    }

    private static void WriteContent(
        Utf8JsonWriter json,
        IEnumerable<string> names,
        IReadOnlyList<double> values,
        IReadOnlyList<IReadOnlyList<TopLogProbability>>? top
    )
    {
        json.WriteStartArray("content");
        foreach (var (index, (name, value)) in names.Zip(values).Index())
        {
            WriteToken(json, name, value);
            json.WriteStartArray("top_logprobs");
            foreach (var token in top?[index] ?? [])
            {
                WriteToken(json, NameOf(token.TokenId), token.LogProbability);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Begins an object; the caller ends it.</summary>
    private static void WriteToken(Utf8JsonWriter json, string name, double value)
    {
        json.WriteStartObject();
        json.WriteString("token", name);
        json.WriteNumber("logprob", value);
        json.WriteNull("bytes");
    }

    private static void WriteLists(
        Utf8JsonWriter json,
        IEnumerable<string> names,
        IReadOnlyList<double> values,
        IReadOnlyList<IReadOnlyList<TopLogProbability>>? top
    )
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
        WriteTopLists(json, top);
        json.WriteNull("text_offset");
    }

    private static void WriteTopLists(Utf8JsonWriter json, IReadOnlyList<IReadOnlyList<TopLogProbability>>? top)
    {
        if (top is null)
        {
            json.WriteNull("top_logprobs");
            return;
        }

        json.WriteStartArray("top_logprobs");
        foreach (var tokens in top)
        {
            json.WriteStartObject();
            foreach (var token in tokens)
            {
                json.WriteNumber(NameOf(token.TokenId), token.LogProbability);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string NameOf(int tokenId) => string.Create(CultureInfo.InvariantCulture, $"token_id:{tokenId}");
}
