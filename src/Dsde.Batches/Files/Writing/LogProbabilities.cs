using System.Text.Json;
using Dsde.Contracts;

namespace Dsde.Batches.Files.Writing;

/// <summary>The <c>logprobs</c> of a choice, as OpenAI's two formats have them.</summary>
internal sealed class LogProbabilities(Utf8JsonWriter json, TokenNames tokens)
{
    /// <summary>Writes the property, null if the job asked for none.</summary>
    public void Write(bool isChat, GenerationChoice choice)
    {
        if (choice is not { TokenLogProbabilities: { } values, TokenIds: { } ids })
        {
            json.WriteNull("logprobs");
            return;
        }

        json.WriteStartObject("logprobs");
        if (isChat)
        {
            WriteContent(ids, values, choice.TopLogProbabilities);
        }
        else
        {
            WriteLists(ids, values, choice);
        }

        json.WriteEndObject();
    }

    private void WriteContent(IReadOnlyList<int> ids, IReadOnlyList<double> values, IReadOnlyList<IReadOnlyList<TopLogProbability>>? top)
    {
        json.WriteStartArray("content");
        foreach (var (index, (id, value)) in ids.Zip(values).Index())
        {
            WriteToken(id, value);
            json.WriteStartArray("top_logprobs");
            foreach (var token in top?[index] ?? [])
            {
                WriteToken(token.TokenId, token.LogProbability);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Begins an object; the caller ends it.</summary>
    private void WriteToken(int id, double value)
    {
        json.WriteStartObject();
        json.WriteString("token", tokens.NameOf(id));
        json.WriteNumber("logprob", value);
        if (tokens.BytesOf(id) is { } bytes)
        {
            WriteNumbers("bytes", bytes.Select(part => (int)part));
        }
        else
        {
            json.WriteNull("bytes");
        }
    }

    private void WriteLists(IReadOnlyList<int> ids, IReadOnlyList<double> values, GenerationChoice choice)
    {
        json.WriteStartArray("tokens");
        foreach (var id in ids)
        {
            json.WriteStringValue(tokens.NameOf(id));
        }

        json.WriteEndArray();
        json.WriteStartArray("token_logprobs");
        foreach (var value in values)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
        WriteTopLists(ids, values, choice.TopLogProbabilities);
        if (tokens.HaveBytes)
        {
            WriteNumbers("text_offset", tokens.FindOffsets(ids, choice.Text ?? ""));
        }
        else
        {
            json.WriteNull("text_offset");
        }
    }

    /// <summary>As OpenAI has it, the chosen token is there as well if it is none of the most probable ones.</summary>
    private void WriteTopLists(IReadOnlyList<int> ids, IReadOnlyList<double> values, IReadOnlyList<IReadOnlyList<TopLogProbability>>? top)
    {
        if (top is null)
        {
            json.WriteNull("top_logprobs");
            return;
        }

        json.WriteStartArray("top_logprobs");
        foreach (var (index, position) in top.Index())
        {
            json.WriteStartObject();
            var names = new HashSet<string>();
            var chosen = new TopLogProbability { TokenId = ids[index], LogProbability = values[index] };
            foreach (var token in position.Any(token => token.TokenId == chosen.TokenId) ? position : [.. position, chosen])
            {
                // Best first: of two tokens with the same text the less probable one is called by its number, since keys are unique.
                var name = tokens.NameOf(token.TokenId);
                json.WriteNumber(names.Add(name) ? name : TokenNames.NumberOf(token.TokenId), token.LogProbability);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteNumbers(string name, IEnumerable<int> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }
}
