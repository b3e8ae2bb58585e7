using System.Text;
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
        var message = new ChatMessage { Role = role, Content = ReadContent(fields, prefix) };
        OpenAiFields.RefuseRest(fields);
        return message;
    }

    private static string ReadContent(JsonFields fields, string prefix)
    {
        if (fields.Take("content") is not { } content)
        {
            throw Missing(prefix + "content");
        }

        return content.ValueKind switch
        {
            JsonValueKind.String => content.GetString() ?? "",
            JsonValueKind.Array => JoinParts(content, prefix),
            _ => throw fields.Wrong("content", content, "a string or a list of text parts"),
        };
    }

    private static string JoinParts(JsonElement parts, string prefix)
    {
        var text = new StringBuilder();
        foreach (var part in parts.EnumerateArray())
        {
            var isText =
                part.ValueKind == JsonValueKind.Object
                && part.TryGetProperty("type", out var type)
                && type.ValueKind == JsonValueKind.String
                && type.GetString() == "text"
                && part.TryGetProperty("text", out var value)
                && value.ValueKind == JsonValueKind.String;
            text.Append(
                isText
                    ? part.GetProperty("text").GetString()
                    : throw new LineFormatException(
                        new LineError(
                            LineErrorCodes.Unsupported,
                            $"{prefix}content has a part that is not text; only parts of type text are supported.",
                            prefix + "content"
                        )
                    )
            );
        }

        return text.ToString();
    }

    private static LineFormatException Missing(string field) =>
        new(new LineError(LineErrorCodes.MissingField, $"{field} is missing.", field));
}
