using System.Text.Json;
using Dsde.Contracts;

namespace Dsde.Batches.Files.Reading;

/// <summary>
/// The fields that one kind of object in a job file may have, and what becomes of those that no job field stands for. Files written for
/// OpenAI's interface carry many of them. What can't change an output is ignored and said to be; what would change it passes only at
/// values that change nothing, and is refused by name otherwise; what nobody knows is refused with the name that was probably meant.
/// </summary>
internal sealed class KnownFields
{
    private static readonly string[] BodyFields =
    [
        "model",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "repetition_penalty",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "stop",
        "stop_token_ids",
        "ignore_eos",
        "response_format",
        "guided_json",
        "guided_regex",
        "guided_choice",
        "n",
        "seed",
        "sampling_mode",
        "policy",
        "proposer",
        "priority",
        "expires_at",
        "metadata",
        "logprobs",
        "return_token_ids",
        "return_tokens_as_token_ids",
    ];

    /// <summary>They say who asks, who pays and what a server may keep, never what is to be written.</summary>
    private static readonly string[] WithoutEffect =
    [
        "user",
        "store",
        "service_tier",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_retention",
        "stream_options",
    ];

    /// <summary>The line itself.</summary>
    public static readonly KnownFields Line = new()
    {
        Supported = ["custom_id", "method", "url", "body"],
        Elsewhere = [.. BodyFields.Concat([.. ChatTools.Fields, "messages", "prompt"]).Select(name => (name, "It belongs into body."))],
    };

    private static readonly Dictionary<string, NeutralValue> OfBoth = new() { ["stream"] = NeutralValue.False };

    private static readonly Dictionary<string, NeutralValue> OfChats = new()
    {
        ["tool_choice"] = NeutralValue.OneOf("none", "auto"), // the output is text in any case, calls in it are for the reader to find
        ["parallel_tool_calls"] = NeutralValue.Boolean, // beside tools ChatTools looks at it
        ["functions"] = NeutralValue.Empty,
        ["function_call"] = NeutralValue.OneOf("none", "auto"),
        ["modalities"] = NeutralValue.ListOf("text"),
        ["verbosity"] = NeutralValue.OneOf("medium"),
        ["audio"] = NeutralValue.None,
        ["prediction"] = NeutralValue.None,
        ["reasoning_effort"] = NeutralValue.None,
        ["web_search_options"] = NeutralValue.None,
    };

    private static readonly Dictionary<string, NeutralValue> OfTemplates = ChatTools.Fields.ToDictionary(
        name => name,
        _ => NeutralValue.Empty,
        StringComparer.Ordinal
    );

    private static readonly Dictionary<string, NeutralValue> OfCompletions = new()
    {
        ["echo"] = NeutralValue.False,
        ["suffix"] = NeutralValue.Empty,
        ["best_of"] = NeutralValue.Number(1), // or n, which RequestBody takes
    };

    /// <summary>The body of a request for <c>/v1/chat/completions</c>.</summary>
    public static readonly KnownFields ChatBody = new()
    {
        Supported = [.. BodyFields, .. ChatTools.Fields, "messages", "top_logprobs"],
        Ignored = WithoutEffect,
        Unsupported = Join(OfBoth, OfChats, OfCompletions),
        Elsewhere =
        [
            ("prompt", "It is a field of /v1/completions; give messages."),
            .. OfCompletions.Keys.Select(name => (name, "It is a field of /v1/completions.")),
            .. NamesOfLine(),
        ],
    };

    /// <summary>The body of a request for <c>/v1/completions</c>.</summary>
    public static readonly KnownFields CompletionBody = new()
    {
        Supported = [.. BodyFields, "prompt"],
        Ignored = WithoutEffect,
        Unsupported = Join(OfBoth, OfChats, OfTemplates, OfCompletions, new() { ["top_logprobs"] = NeutralValue.Number(0) }),
        Elsewhere =
        [
            ("messages", "It is a field of /v1/chat/completions; give prompt."),
            ("top_logprobs", "It is a field of /v1/chat/completions; give their number as logprobs."),
            .. OfChats.Keys.Concat(OfTemplates.Keys).Select(name => (name, "It is a field of /v1/chat/completions.")),
            .. NamesOfLine(),
        ],
    };

    /// <summary>A message of a chat.</summary>
    public static readonly KnownFields Message = new()
    {
        Supported = ["role", "content", "reasoning_content", "name", "tool_calls", "tool_call_id"],
        Unsupported = new()
        {
            ["function_call"] = NeutralValue.None,
            ["refusal"] = NeutralValue.Empty,
            ["annotations"] = NeutralValue.Empty,
            ["audio"] = NeutralValue.None,
        },
    };

    /// <summary>A part of a message's content.</summary>
    public static readonly KnownFields ContentPart = new() { Supported = ["type", "text"] };

    private IReadOnlyList<string> Supported { get; init; } = [];

    private IReadOnlyList<string> Ignored { get; init; } = [];

    private Dictionary<string, NeutralValue> Unsupported { get; init; } = [];

    /// <summary>Fields that are known, but not here, and a sentence for who has put them here.</summary>
    private IReadOnlyList<(string Name, string Remedy)> Elsewhere { get; init; } = [];

    /// <summary>
    /// Decides on what is left of an object after the supported fields were taken. A field that is null counts as absent.
    /// </summary>
    /// <returns>The fields with which nothing is done, with the object's prefix.</returns>
    /// <exception cref="LineFormatException">One of them can't be ignored.</exception>
    public IReadOnlyList<string> Settle(JsonFields fields)
    {
        var ignored = new List<string>();
        foreach (var (name, value) in fields.Left.Where(field => field.Value.ValueKind != JsonValueKind.Null))
        {
            if (Ignored.Contains(name, StringComparer.Ordinal))
            {
                ignored.Add(fields.FieldOf(name));
            }
            else if (FindMistake(name, value, fields) is { } mistake)
            {
                throw new LineFormatException(mistake);
            }
        }

        return ignored;
    }

    private static Dictionary<string, NeutralValue> Join(params Dictionary<string, NeutralValue>[] fields) =>
        fields.SelectMany(some => some).ToDictionary(StringComparer.Ordinal);

    private static IEnumerable<(string Name, string Remedy)> NamesOfLine() =>
        Line.Supported.Select(name => (name, "It belongs beside body, not into it."));

    private LineError? FindMistake(string name, JsonElement value, JsonFields fields)
    {
        if (Unsupported.TryGetValue(name, out var neutral) && neutral.Includes(value))
        {
            return null;
        }

        var (place, field) = (fields.NameOf(name), fields.FieldOf(name));
        if (Elsewhere.FirstOrDefault(other => other.Name == name) is { Name: not null } elsewhere)
        {
            return new LineError(LineErrorCodes.Unsupported, $"{place} is not supported. {elsewhere.Remedy}", field);
        }

        if (neutral is null)
        {
            return new LineError(LineErrorCodes.UnknownField, UnknownField.Describe(name, Supported, fields.NameOf("")), field);
        }

        return new LineError(
            LineErrorCodes.Unsupported,
            neutral.Description is { } allowed
                ? $"{place} is {FieldForm.Show(value, showsText: true)}, which is not supported; only {allowed} is. Remove the field."
                : $"{place} is not supported. Remove the field.",
            field
        );
    }
}
