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

            if (!weights.TryAdd(weight.Name, (file.Path, entry)))
            {
                throw new ModelLoadException($"{indexPath} lists the weight {weight.Name} twice. Download it again.");
            }
        }

        AddUnlisted(files.Values, weights);
        return weights;
    }

    /// <summary>
    /// What lies in the files and not in the index is no less a part of the model; but of two weights of a name one is wrong.
    /// </summary>
    private static void AddUnlisted(IEnumerable<SafetensorsFile> files, Dictionary<string, (string Path, SafetensorsEntry Entry)> weights)
    {
        foreach (var file in files)
        {
            foreach (var (name, entry) in file.Entries)
            {
                if (!weights.TryAdd(name, (file.Path, entry)) && weights[name].Path != file.Path)
                {
                    throw new ModelLoadException(
                        $"{file.Path} has the weight {name}, and {weights[name].Path} has it, too. Download the complete model folder anew."
                    );
                }
            }
        }
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
