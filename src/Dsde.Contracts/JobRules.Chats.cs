using System.Text.Json;

namespace Dsde.Contracts;

/// <summary>What holds for chats, and for what their templates are given besides.</summary>
public static partial class JobRules
{
    private const int MaxMessages = 4096;
    private const int MaxToolCalls = 128;
    private const int MaxTools = 1024;
    private const int MaxDocuments = 4096;
    private const int MaxTemplateVariables = 64;
    private const string ToolRole = "tool";
    private const string AssistantRole = "assistant";
    private static readonly string[] Roles = ["system", "user", AssistantRole, ToolRole];

    /// <summary>What templates are given anyway, or what asks for another template.</summary>
    private static readonly string[] ReservedVariables =
    [
        "messages",
        "tools",
        "documents",
        "add_generation_prompt",
        "continue_final_message",
        "chat_template",
        "tokenize",
        "bos_token",
        "eos_token",
        "unk_token",
        "sep_token",
        "pad_token",
        "cls_token",
        "mask_token",
        "additional_special_tokens",
    ];

    private static JobMistake? FindUnstorableInChat(
        SubmitGenerationJob job,
        Func<string, string> nameOf,
        Func<string, Func<string, string?>, JobMistake?> find
    ) =>
        find(nameof(job.Messages), name => CheckMessages(name, job.Messages, nameOf(nameof(ChatMessage.ToolCalls))))
        ?? find(nameof(job.Tools), name => CheckList(name, job.Tools, MaxTools, CheckTool))
        ?? find(nameof(job.Documents), name => CheckList(name, job.Documents, MaxDocuments, JsonValues.FindMistake))
        ?? find(nameof(job.ChatTemplateKwargs), name => CheckVariables(name, job.ChatTemplateKwargs));

    private static JobMistake? FindBadChat(SubmitGenerationJob job, Func<string, string> nameOf)
    {
        var messages = nameOf(nameof(job.Messages));
        if (job.Messages?.FirstOrDefault(turn => !Roles.Contains(turn.Role, StringComparer.Ordinal)) is { } turn)
        {
            return new JobMistake(messages, $"{messages} has the role '{turn.Role}'; give {string.Join(", ", Roles)}.");
        }

        (string Property, bool IsGiven)[] extras =
        [
            (nameof(job.Tools), job.Tools is { Count: > 0 }),
            (nameof(job.Documents), job.Documents is { Count: > 0 }),
            (nameof(job.ChatTemplateKwargs), job.ChatTemplateKwargs is { Count: > 0 }),
        ];
        return job.Messages is null && extras.FirstOrDefault(extra => extra.IsGiven) is { Property: not null } lost
            ? new JobMistake(
                nameOf(lost.Property),
                $"{nameOf(lost.Property)} is given, but {messages} is not: only chats have a template. Give {messages}, or leave it out."
            )
            : null;
    }

    private static string? CheckMessages(string field, IReadOnlyList<ChatMessage>? messages, string callsName) =>
        messages is { Count: > MaxMessages }
            ? $"{field} has {messages.Count} turns; give at most {MaxMessages}."
            : messages?.Select((message, index) => CheckTurn(field, $"{field}[{index}]", message, callsName)).FirstOrDefault(IsMistake);

    private static string? CheckTurn(string field, string place, ChatMessage? turn, string callsName) =>
        turn is null
            ? $"{field} has a turn that is null; leave it out."
            : CheckName($"A role of {field}", turn.Role, MaxNameLength)
                ?? CheckText($"A turn of {field}", turn.Content)
                ?? CheckText($"The reasoning of a turn of {field}", turn.ReasoningContent)
                ?? CheckName($"A name of {field}", turn.Name, MaxNameLength)
                ?? CheckName($"A call's id of {field}", turn.ToolCallId, MaxNameLength)
                ?? CheckPlaces(place, turn)
                ?? CheckList($"{place}.{callsName}", turn.ToolCalls, MaxToolCalls, CheckToolCall);

    private static string? CheckPlaces(string place, ChatMessage turn) =>
        turn.Content is null && turn.Role != AssistantRole ? $"{place}.content is missing; give a text."
        : turn.ReasoningContent is not null && turn.Role != AssistantRole
            ? $"{place} has reasoning, but the role '{turn.Role}'; only {AssistantRole} reasons."
        : turn.ToolCalls is { Count: > 0 } && turn.Role != AssistantRole
            ? $"{place} has calls of tools, but the role '{turn.Role}'; only {AssistantRole} calls tools."
        : turn.ToolCallId is not null && turn.Role != ToolRole
            ? $"{place} answers a call of a tool, but has the role '{turn.Role}'; give {ToolRole}, or leave the call's id out."
        : null;

    private static string? CheckList(string field, IReadOnlyList<JsonElement>? items, int most, Func<string, JsonElement, string?> check) =>
        items is null ? null
        : items.Count > most ? $"{field} has {items.Count} entries; give at most {most}."
        : items
            .Select(
                (item, index) =>
                    item.ValueKind == JsonValueKind.Object
                        ? check($"{field}[{index}]", item)
                        : FieldForm.Wrong($"{field}[{index}]", "an object", item, showsText: false)
            )
            .FirstOrDefault(IsMistake);

    /// <summary>As OpenAI has it, or the function on its own, which some templates take.</summary>
    private static string? CheckTool(string place, JsonElement tool) =>
        JsonValues.FindMistake(place, tool)
        ?? (
            HasName(tool.TryGetProperty("function", out var function) ? function : tool)
                ? null
                : $"{place} has no function with a name; give "
                    + "{\"type\": \"function\", \"function\": {\"name\": …, \"description\": …, \"parameters\": …}}."
        );

    private static string? CheckToolCall(string place, JsonElement call) =>
        JsonValues.FindMistake(place, call)
        ?? (
            !call.TryGetProperty("function", out var function) || !HasName(function)
                ? $"{place} has no function with a name; give "
                    + "{\"id\": …, \"type\": \"function\", \"function\": {\"name\": …, \"arguments\": …}}."
            : function.TryGetProperty("arguments", out var arguments) ? CheckArguments(place, arguments)
            : null
        );

    private static string? CheckArguments(string place, JsonElement arguments)
    {
        var text = arguments.ValueKind switch
        {
            JsonValueKind.Object or JsonValueKind.Null => null,
            JsonValueKind.String => arguments.GetString(),
            _ => "no object",
        };
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        try
        {
            using var parsed = JsonDocument.Parse(text);
            return parsed.RootElement.ValueKind == JsonValueKind.Object ? JsonValues.FindMistake(place, parsed.RootElement) : Wrong();
        }
        catch (JsonException)
        {
            return Wrong();
        }

        string Wrong() => $"{place} has arguments that are no JSON object; give an object, or the text of one.";
    }

    private static bool HasName(JsonElement function) =>
        function.ValueKind == JsonValueKind.Object
        && function.TryGetProperty("name", out var name)
        && name.ValueKind == JsonValueKind.String
        && name.GetString() is { Length: > 0 };

    private static string? CheckVariables(string field, IReadOnlyDictionary<string, JsonElement>? variables) =>
        variables is { Count: > MaxTemplateVariables }
            ? $"{field} has {variables.Count} entries; give at most {MaxTemplateVariables}."
            : variables?.Select(entry => CheckVariable(field, entry.Key, entry.Value)).FirstOrDefault(IsMistake);

    private static string? CheckVariable(string field, string name, JsonElement value) =>
        CheckName($"A name of {field}", name, MaxNameLength)
        ?? (
            ReservedVariables.Contains(name, StringComparer.Ordinal)
                ? $"{field} has '{name}', which is not for jobs to set; leave it out."
                : JsonValues.FindMistake($"{field}.{name}", value)
        );

    private static bool IsMistake(string? mistake) => mistake is not null;
}
