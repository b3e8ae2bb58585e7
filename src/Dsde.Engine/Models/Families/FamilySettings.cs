using System.Text.Json;
using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Models.Families;

/// <summary>Settings that several families read in the same way.</summary>
internal static class FamilySettings
{
    private const string Sliding = "sliding_attention";
    private const string Full = "full_attention";

    /// <summary>Refuses an activation other than the one the family's models have, under any of its names.</summary>
    public static void RequireActivation(this JsonSettings settings, string key, params ReadOnlySpan<string> names)
    {
        if (settings.Find(key) is { } activation && !names.Contains(settings.String(key)))
        {
            throw settings.Unsupported(key, activation, $"\"{names[0]}\"");
        }
    }

    /// <summary>Refuses a switch that turns on something not implemented.</summary>
    public static void RequireOff(this JsonSettings settings, string key)
    {
        if (settings.Bool(key, false))
        {
            throw settings.Unsupported(key, settings.Find(key)!.Value, "false");
        }
    }

    /// <summary>
    /// A whole number above 0; null, for one that others make up, where the file says null; the default where it says nothing.
    /// </summary>
    public static int? IntOrDerived(this JsonSettings settings, string key, int? otherwise) =>
        settings.PositiveInt(key) ?? (settings.Contains(key) ? null : otherwise);

    /// <summary>A number above 0; none where the file says null, the default where it says nothing.</summary>
    public static double? NumberOrNone(this JsonSettings settings, string key, double otherwise) =>
        settings.PositiveNumber(key) ?? (settings.Contains(key) ? null : otherwise);

    /// <summary>A number of positions; none where the file says null, the default where it says nothing.</summary>
    public static int? WindowOrNone(this JsonSettings settings, int otherwise) => settings.IntOrDerived("sliding_window", otherwise);

    /// <summary>The window of each layer: as <c>layer_types</c> says, or where it is absent as the family has it.</summary>
    /// <param name="settings">The file.</param>
    /// <param name="layerCount">Layers of the model.</param>
    /// <param name="window">Window of the sliding layers; null for none at all.</param>
    /// <param name="slides">Whether a layer, by index, slides where the file doesn't say.</param>
    public static IReadOnlyList<int?> LayerWindows(this JsonSettings settings, int layerCount, int? window, Func<int, bool> slides)
    {
        var said = settings.Find("layer_types") is { } types ? ReadLayerTypes(settings, types, layerCount) : null;
        return window is null
            ? new int?[layerCount]
            : [.. Enumerable.Range(0, layerCount).Select(layer => (said?[layer] ?? slides(layer)) ? window : null)];
    }

    private static bool[] ReadLayerTypes(JsonSettings settings, JsonElement types, int layerCount)
    {
        var supported = $"a list of {layerCount} times \"{Full}\" or \"{Sliding}\"";
        return types.ValueKind == JsonValueKind.Array && types.GetArrayLength() == layerCount
            ?
            [
                .. types
                    .EnumerateArray()
                    .Select(type =>
                        type.ValueEquals(Sliding)
                        || (type.ValueEquals(Full) ? false : throw settings.Unsupported("layer_types", types, supported))
                    ),
            ]
            : throw settings.Unsupported("layer_types", types, supported);
    }
}
