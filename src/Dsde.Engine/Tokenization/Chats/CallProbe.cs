using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dsde.Engine.Tokenization.Chats;

/// <summary>A call of a tool whose arguments tell how a template writes them.</summary>
internal static class CallProbe
{
    /// <summary>What becomes of the arguments where a template shows an object as it is.</summary>
    public const string Shown = $"{{'{Argument}': True}}";

    private const string Argument = "dsde_probe";

    /// <summary>The call with other arguments.</summary>
    public static JsonElement Of(JsonElement call)
    {
        var probe = JsonNode.Parse(call.GetRawText());
        if (probe?["function"] is JsonObject function)
        {
            function["arguments"] = new JsonObject { [Argument] = true };
        }

        return JsonSerializer.SerializeToElement(probe);
    }
}
