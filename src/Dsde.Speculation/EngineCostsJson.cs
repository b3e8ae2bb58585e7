using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dsde.Speculation;

/// <summary>
/// An engine's costs as the database keeps them: <c>{"target": [{"rows": 1, "ms": 2.5}, …], "draft": […], "plainRest": […],
/// "speculatingRest": […], "lookupRest": […]}</c>.
/// </summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(EngineCosts))]
public sealed partial class EngineCostsJson : JsonSerializerContext
{
    /// <summary>Writes them; null stays null.</summary>
    public static string? Write(EngineCosts? costs) => costs is null ? null : JsonSerializer.Serialize(costs, Default.EngineCosts);

    /// <summary>Reads them back.</summary>
    /// <exception cref="JsonException">The text is something else.</exception>
    public static EngineCosts Read(string json) =>
        JsonSerializer.Deserialize(json, Default.EngineCosts) ?? throw new JsonException("The costs are null.");
}
