using System.Collections.Frozen;
using System.Text.Json;

namespace Dsde.Batches.Files.Reading;

/// <summary>
/// What becomes of OpenAI request fields that no job field stands for. Files written for that interface carry many of them at values that
/// change nothing: those pass. A value that would change the output is refused by name rather than ignored.
/// </summary>
internal static class OpenAiFields
{
    private static readonly FrozenSet<string> Harmless = FrozenSet.Create(
        StringComparer.Ordinal,
        "user",
        "store",
        "service_tier",
        "safety_identifier",
        "prompt_cache_key",
        "stream_options"
    );

    private static readonly FrozenDictionary<string, Func<JsonElement, bool>> NeutralValues = new Dictionary<
        string,
        Func<JsonElement, bool>
    >
    {
        ["best_of"] = value => IsNumber(value, 1),
        ["stream"] = IsFalse,
        ["echo"] = IsFalse,
        ["suffix"] = value => value.ValueKind == JsonValueKind.String && value.GetString() is "",
        ["top_logprobs"] = value => IsNumber(value, 0),
        ["tools"] = IsEmpty,
        ["tool_choice"] = value => value.ValueKind == JsonValueKind.String && value.GetString() is "none",
        ["parallel_tool_calls"] = value => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        ["functions"] = IsEmpty,
        ["function_call"] = value => value.ValueKind == JsonValueKind.String && value.GetString() is "none",
        ["response_format"] = value =>
            value.ValueKind == JsonValueKind.Object
            && value.TryGetProperty("type", out var type)
            && type.ValueKind == JsonValueKind.String
            && type.GetString() is "text",
        ["modalities"] = value => value.ValueKind == JsonValueKind.Array && value.GetRawText() is "[\"text\"]",
        ["audio"] = _ => false,
        ["prediction"] = _ => false,
        ["reasoning_effort"] = _ => false,
        ["verbosity"] = _ => false,
        ["web_search_options"] = _ => false,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Refuses what is left of a body after the supported fields were taken, unless it changes nothing.</summary>
    public static void RefuseRest(JsonFields body)
    {
        foreach (var (name, value) in body.Left)
        {
            if (Harmless.Contains(name) || value.ValueKind == JsonValueKind.Null)
            {
                continue;
            }

            if (!NeutralValues.TryGetValue(name, out var isNeutral))
            {
                throw new LineFormatException(
                    new LineError(
                        LineErrorCodes.UnknownField,
                        $"Unknown field '{body.NameOf(name)}'. Correct its name or remove it.",
                        body.NameOf(name)
                    )
                );
            }

            if (!isNeutral(value))
            {
                throw new LineFormatException(
                    new LineError(
                        LineErrorCodes.Unsupported,
                        $"{body.NameOf(name)} is not supported at this value. Remove the field.",
                        body.NameOf(name)
                    )
                );
            }
        }
    }

    private static bool IsNumber(JsonElement value, double neutral) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number == neutral;

    private static bool IsFalse(JsonElement value) => value.ValueKind == JsonValueKind.False;

    private static bool IsEmpty(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Array => value.GetArrayLength() == 0,
            JsonValueKind.Object => !value.EnumerateObject().Any(),
            _ => false,
        };
}
