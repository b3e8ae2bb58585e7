using System.Text.Json;
using Dsde.Contracts;

namespace Dsde.Batches.Files.Reading;

/// <summary>The <c>messages</c> of a chat body.</summary>
internal static class ChatMessages
{
    public static IReadOnlyList<ChatMessage> Read(JsonFields body)
    {
        if (body.Take("messages") is not { } messages)
        {
            throw new LineFormatException(new LineError(LineErrorCodes.MissingField, "body.messages is missing.", "body.messages"));
        }

        return messages.ValueKind == JsonValueKind.Array && messages.GetArrayLength() > 0
            ? [.. messages.EnumerateArray().Select(ReadMessage)]
            : throw body.Wrong("messages", messages, "a list of at least one message");
    }

    private static ChatMessage ReadMessage(JsonElement element, int index)
    {
        var prefix = $"body.messages[{index}].";
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new LineFormatException(
                new LineError(
                    LineErrorCodes.InvalidValue,
                    $"body.messages[{index}] must be an object with role and content.",
                    $"body.messages[{index}]"
                )
            );
        }

        var fields = new JsonFields(element, prefix);
        var role = fields.TakeString("role") switch
        {
            null => throw Missing(prefix + "role"),
            "developer" => "system",
            var other => other,
        };
        var message = new ChatMessage
        {
            Role = role,
            Content = ReadContent(fields, prefix, role),
            Name = fields.TakeString("name"),
            ToolCalls = fields.TakeObjects("tool_calls"),
            ToolCallId = fields.TakeString("tool_call_id"),
        };
        KnownFields.Message.Settle(fields);
        return message;
    }

    /// <summary>An assistant that said nothing has null or none, as OpenAI writes it beside calls of tools.</summary>
    private static string? ReadContent(JsonFields fields, string prefix, string role)
    {
        if (fields.Take("content") is not { } content)
        {
            return role == "assistant" ? null : throw Missing(prefix + "content");
        }

        return content.ValueKind switch
        {
            JsonValueKind.String => content.GetString() ?? "",
            JsonValueKind.Array => JoinParts(content, prefix),
            _ => throw fields.Wrong("content", content, "a string or a list of text parts"),
        };
    }

    /// <summary>A line break between text parts, as other servers put it.</summary>
    private static string JoinParts(JsonElement parts, string prefix) =>
        string.Join('\n', parts.EnumerateArray().Select((part, index) => ReadPart(part, prefix, index)));

    private static string ReadPart(JsonElement part, string prefix, int index)
    {
        var name = $"{prefix}content[{index}]";
        var fields = new JsonFields(part.ValueKind == JsonValueKind.Object ? part : throw NotText(), $"{name}.");
        if (fields.TakeString("type") != "text")
        {
            throw NotText();
        }

        var text = fields.TakeString("text") ?? throw Missing($"{name}.text");
        KnownFields.ContentPart.Settle(fields);
        return text;

        LineFormatException NotText() =>
            new(
                new LineError(
                    LineErrorCodes.Unsupported,
                    $"{name} is {JsonFields.Excerpt(part)}; only parts of type text are supported.",
                    prefix + "content"
                )
            );
    }

    private static LineFormatException Missing(string field) =>
        new(new LineError(LineErrorCodes.MissingField, $"{field} is missing.", field));
}
