using System.Text.Json;

namespace Dsde.Batches.Files.Reading;

/// <summary>What a chat body has for its template besides messages: tools, documents and further variables.</summary>
/// <param name="Tools"><c>tools</c>; null without any.</param>
/// <param name="Documents"><c>documents</c>; null without any.</param>
/// <param name="TemplateVariables"><c>chat_template_kwargs</c>; null without any.</param>
internal sealed record ChatTools(
    IReadOnlyList<JsonElement>? Tools,
    IReadOnlyList<JsonElement>? Documents,
    IReadOnlyDictionary<string, JsonElement>? TemplateVariables
)
{
    /// <summary>The fields' names.</summary>
    public static readonly string[] Fields = ["tools", "documents", "chat_template_kwargs"];

    /// <summary>None of them, as in completions.</summary>
    public static readonly ChatTools None = new(null, null, null);

    /// <exception cref="LineFormatException">A field is of another type, or asks for what nobody can hold.</exception>
    public static ChatTools Read(JsonFields body)
    {
        var tools = body.TakeObjects("tools");
        if (tools is { Count: > 0 } && body.TakeBoolean("parallel_tool_calls") == false)
        {
            throw body.Invalid(
                "parallel_tool_calls",
                $"{body.NameOf("parallel_tool_calls")} is false, but the output is the model's text, with as many calls as it writes. "
                    + "Remove the field."
            );
        }

        return new ChatTools(tools, body.TakeObjects("documents"), body.TakeValues("chat_template_kwargs"));
    }
}
