using System.Text.Json;
using Dsde.Contracts;

namespace Dsde.Batches.Files.Reading;

/// <summary>The <c>messages</c> of a chat body.</summary>
internal static class ChatMessages
{
    public static IReadOnlyList<ChatMessage> Read(JsonFields body) =>
        body.Take("messages", FieldForm.Turns) is { } messages
            ? [.. messages.EnumerateArray().Select(ReadMessage)]
            : throw body.Missing("messages", "give a list of at least one message");

    private static ChatMessage ReadMessage(JsonElement element, int index)
    {
        var fields = new JsonFields(element, $"body.messages[{index}].");
        var role = fields.TakeString("role") switch
        {
            null => throw fields.Missing("role", "say who speaks"),
            "developer" => "system",
            var other => other,
        };
        var message = new ChatMessage
        {
            Role = role,
            Content = ReadContent(fields, role),
            ReasoningContent = fields.TakeString("reasoning_content"),
            Name = fields.TakeString("name"),
            ToolCalls = fields.TakeObjects("tool_calls"),
            ToolCallId = fields.TakeString("tool_call_id"),
        };
        KnownFields.Message.Settle(fields);
        return message;
    }

    /// <summary>An assistant that said nothing has null or none, as OpenAI writes it beside calls of tools.</summary>
    private static string? ReadContent(JsonFields fields, string role)
    {
        if (fields.Take("content") is not { } content)
        {
            return role == "assistant" ? null : throw fields.Missing("content", "give a text");
        }

        return content.ValueKind switch
        {
            JsonValueKind.String when FieldForm.Text.FindMistake(fields.NameOf("content"), content) is { } mistake => throw fields.Invalid(
                "content",
                mistake
            ),
            JsonValueKind.String => content.GetString() ?? "",
            JsonValueKind.Array when content.GetArrayLength() == 0 && role != "assistant" => throw fields.Missing("content", "give a text"),
            JsonValueKind.Array => JoinParts(content, fields),
            _ => throw fields.Wrong("content", content, "a string or a list of text parts"),
        };
    }

    /// <summary>A line break between text parts, as other servers put it.</summary>
    private static string JoinParts(JsonElement parts, JsonFields message) =>
        string.Join('\n', parts.EnumerateArray().Select((part, index) => ReadPart(part, message, index)));

    private static string ReadPart(JsonElement part, JsonFields message, int index)
    {
        var name = $"content[{index}]";
        var fields = new JsonFields(part.ValueKind == JsonValueKind.Object ? part : throw NotText(), $"{message.FieldOf(name)}.");
        if (fields.TakeString("type") != "text")
        {
            throw NotText();
        }

        var text = fields.TakeString("text") ?? throw fields.Missing("text", "give one");
        KnownFields.ContentPart.Settle(fields);
        return text;

        LineFormatException NotText() =>
            new(
                new LineError(
                    LineErrorCodes.Unsupported,
                    $"{message.NameOf(name)} is {KindOf(part)}; only parts of type text are supported.",
                    message.FieldOf("content")
                )
            );
    }

    private static string KindOf(JsonElement part) =>
        part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
            ? $"of type {FieldForm.Show(type, showsText: true)}"
            : FieldForm.Show(part, showsText: false);
}
