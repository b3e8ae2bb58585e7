using System.Text.Json;

namespace Dsde.Engine.Models.Files;

/// <summary>Weights spread over several files, with an index that says which weight is in which.</summary>
internal static class SafetensorsIndex
{
    private const string WeightMapKey = "weight_map";

    /// <summary>Opens every file the index names and finds every weight in it.</summary>
    public static Dictionary<string, (string Path, SafetensorsEntry Entry)> ReadWeights(string indexPath)
    {
        var settings = JsonSettings.Load(indexPath);
        var map = settings.Find(WeightMapKey) ?? throw settings.Missing(WeightMapKey);
        if (map.ValueKind != JsonValueKind.Object)
        {
            throw settings.Unsupported(WeightMapKey, map, "an object of weight name to file name");
        }

        var files = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        var weights = new Dictionary<string, (string, SafetensorsEntry)>(StringComparer.Ordinal);
        foreach (var weight in map.EnumerateObject())
        {
            var file = OpenOnce(settings, weight, files);
            if (!file.Entries.TryGetValue(weight.Name, out var entry))
            {
                throw new ModelLoadException(
                    $"{file.Path} lacks the weight {weight.Name}, which {indexPath} places there. Download both again."
                );
            }

            weights[weight.Name] = (file.Path, entry);
        }

        return weights;
    }

    private static SafetensorsFile OpenOnce(JsonSettings index, JsonProperty weight, Dictionary<string, SafetensorsFile> files)
    {
        // A bare name only: a model folder has no business pointing outside itself.
        if (
            weight.Value.ValueKind != JsonValueKind.String
            || weight.Value.GetString() is not { Length: > 0 } fileName
            || Path.GetFileName(fileName) != fileName
            || fileName.Contains('\0', StringComparison.Ordinal)
        )
        {
            throw index.Unsupported($"{WeightMapKey}.{weight.Name}", weight.Value, "the name of a file in the same folder");
        }

        if (!files.TryGetValue(fileName, out var file))
        {
            file = SafetensorsFile.Open(Path.Combine(Path.GetDirectoryName(index.Path) ?? "", fileName));
            files.Add(fileName, file);
        }

        return file;
    }
}
