using System.Text.Json;
using System.Text.Json.Serialization;
using Dsde.Engine;

namespace Dsde.Pipeline.Hosting;

/// <summary>
/// An engine's costs as the database keeps them: <c>{"target": [{"rows": 1, "ms": 2.5}, …], "draft": […], "plainRest": […],
/// "speculatingRest": […]}</c>.
/// </summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(EngineCosts))]
internal sealed partial class CostProfileJson : JsonSerializerContext
{
    /// <summary>Writes them; null stays null.</summary>
    public static string? Write(EngineCosts? costs) => costs is null ? null : JsonSerializer.Serialize(costs, Default.EngineCosts);
}
