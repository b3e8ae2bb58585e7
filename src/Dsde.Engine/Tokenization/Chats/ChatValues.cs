using System.Text.Json;
using Dsde.Templates;

namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// What a chat looks like to a template. Whatever a sender wrote is data; roles and the names of fields are the template's.
/// </summary>
/// <param name="content">How the template takes content.</param>
/// <param name="arguments">How it takes the arguments of calls.</param>
internal sealed class ChatValues(ContentForms content, ArgumentForm arguments)
{
    private const string Function = "function";
    private const string Arguments = "arguments";

    private static readonly Template Writer = Template.Parse("{{ value | tojson }}");

    /// <summary>The roles that templates know. Templates make markers of them (<c>'&lt;|' + role + '|>'</c>), and no sender can write
    /// anything else into one of these.</summary>
    private static readonly string[] Roles = ["system", "user", "assistant", ChatTemplate.ToolRole];

    /// <summary>The turns.</summary>
    /// <param name="turns">The turns.</param>
    /// <param name="withCalls">Whether calls of tools are in them.</param>
    public TemplateValue Messages(IEnumerable<ChatTurn> turns, bool withCalls = true) =>
        TemplateValue.OfItems(turns.Select(turn => TemplateValue.OfFields(Fields(turn, withCalls))));

    /// <summary>A list of objects; none if it is empty.</summary>
    public static TemplateValue List(IReadOnlyList<JsonElement> items) =>
        items.Count == 0 ? TemplateValue.None : TemplateValue.OfItems(items.Select(TemplateValue.FromData));

    private IEnumerable<(string Key, TemplateValue Value)> Fields(ChatTurn turn, bool withCalls)
    {
        yield return (
            "role",
            Roles.Contains(turn.Role, StringComparer.Ordinal) ? TemplateValue.FromTemplate(turn.Role) : TemplateValue.FromData(turn.Role)
        );
        yield return ("content", Content(turn));
        if (turn.ReasoningContent is { } reasoning)
        {
            yield return ("reasoning_content", TemplateValue.FromData(reasoning));
        }

        if (turn.Name is { } name)
        {
            yield return ("name", TemplateValue.FromData(name));
        }

        if (turn.ToolCallId is { } id)
        {
            yield return ("tool_call_id", TemplateValue.FromData(id));
        }

        if (withCalls && turn.ToolCalls is { Count: > 0 } calls)
        {
            yield return ("tool_calls", TemplateValue.OfItems(calls.Select(Call)));
        }
    }

    /// <summary>None only for an assistant that calls tools and says nothing: templates ask for that.</summary>
    private TemplateValue Content(ChatTurn turn)
    {
        if (turn.Content is null && turn.ToolCalls is { Count: > 0 })
        {
            return TemplateValue.None;
        }

        var text = TemplateValue.FromData(turn.Content ?? "");
        return content.IsList(turn.Role)
            ? TemplateValue.OfItems([TemplateValue.OfFields([("type", TemplateValue.FromTemplate("text")), ("text", text)])])
            : text;
    }

    private TemplateValue Call(JsonElement call) =>
        TemplateValue.OfData(
            call.EnumerateObject()
                .Select(field => (field.Name, field.Name == Function ? CalledFunction(field.Value) : TemplateValue.FromData(field.Value)))
        );

    private TemplateValue CalledFunction(JsonElement function)
    {
        var given = function.TryGetProperty(Arguments, out var found) ? found : default;
        var fields = function
            .EnumerateObject()
            .Select(field => (field.Name, field.Name == Arguments ? ArgumentsOf(given) : TemplateValue.FromData(field.Value)));
        return TemplateValue.OfData(given.ValueKind == JsonValueKind.Undefined ? fields.Append((Arguments, ArgumentsOf(given))) : fields);
    }

    /// <summary>OpenAI's interface has the arguments of a call as a text, most templates take the object that it stands for.</summary>
    private TemplateValue ArgumentsOf(JsonElement given)
    {
        var text = given.ValueKind switch
        {
            JsonValueKind.String => given.GetString() is { Length: > 0 } written ? written : "{}",
            JsonValueKind.Object => null,
            _ => "{}",
        };
        return arguments == ArgumentForm.Object ? (text is null ? TemplateValue.FromData(given) : Parse(text))
            : text is null ? TemplateValue.FromData(Write(given))
            : TemplateValue.FromData(text);
    }

    private static TemplateValue Parse(string text)
    {
        try
        {
            using var parsed = JsonDocument.Parse(text);
            return TemplateValue.FromData(parsed.RootElement);
        }
        catch (JsonException exception)
        {
            throw new ChatRefusedException(
                "The arguments of a call are no JSON; give an object, or the text of one.",
                innerException: exception
            );
        }
    }

    private static string Write(JsonElement value) =>
        Writer.Render(new Dictionary<string, TemplateValue> { ["value"] = TemplateValue.FromData(value) }, TimeProvider.System).Value;
}
