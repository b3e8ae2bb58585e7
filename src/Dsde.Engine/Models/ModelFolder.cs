using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Models;

/// <summary>A Hugging Face model folder: its configuration and where each weight lies.</summary>
internal sealed class ModelFolder
{
    /// <summary>Name of the output projection.</summary>
    public const string HeadName = "lm_head.weight";

    private const string SingleFileName = "model.safetensors";
    private const string IndexFileName = "model.safetensors.index.json";

    private readonly Dictionary<string, (string Path, SafetensorsEntry Entry)> _weights;
    private readonly List<string> _warnings = [];

    private ModelFolder(string path, ModelConfig config, Dictionary<string, (string Path, SafetensorsEntry Entry)> weights)
    {
        Path = path;
        Config = config;
        _weights = weights;
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Name of the model: its folder's name.</summary>
    public string Name => new DirectoryInfo(Path).Name;

    /// <summary>The model's shape.</summary>
    public ModelConfig Config { get; }

    /// <summary>Numbers in all weights together.</summary>
    public long ParameterCount => _weights.Values.Sum(weight => weight.Entry.Shape.Aggregate(1L, (count, length) => count * length));

    /// <summary>
    /// What is odd about the folder and can be worked with all the same, in sentences; more may come up while its files are read.
    /// </summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Whether an output projection is stored, be it the embedding once more.</summary>
    public bool StoresHead => _weights.ContainsKey(HeadName);

    /// <summary>Names of all weights.</summary>
    public IReadOnlyCollection<string> WeightNames => _weights.Keys;

    /// <summary>Whether more than half of the weights' numbers are stored in a type.</summary>
    public bool IsMostlyStoredAs(SafetensorsDataType type) =>
        2 * _weights.Values.Where(weight => weight.Entry.DataType == type).Sum(weight => weight.Entry.ByteLength / type.ByteSize())
        > ParameterCount;

    /// <summary>Reads configuration and headers; no weights.</summary>
    /// <exception cref="ModelLoadException">Something is missing, broken or not supported.</exception>
    public static ModelFolder Open(string path)
    {
        if (!Directory.Exists(path))
        {
            throw new ModelLoadException(
                ModelFile.ExplainLinks(path)
                    ?? $"Model folder {System.IO.Path.GetFullPath(path)} is missing. Give a Hugging Face folder with "
                        + $"{ModelConfigReader.FileName} and {SingleFileName}."
            );
        }

        RefuseCacheEntry(path);
        return new ModelFolder(path, ModelConfig.Load(path), ReadWeights(path));
    }

    /// <summary>Hugging Face's cache has a folder per model, and the model itself further down.</summary>
    private static void RefuseCacheEntry(string path)
    {
        var snapshots = System.IO.Path.Combine(path, "snapshots");
        if (!ModelFile.Exists(System.IO.Path.Combine(path, ModelConfigReader.FileName)) && Directory.Exists(snapshots))
        {
            var latest = new DirectoryInfo(snapshots).GetDirectories().MaxBy(snapshot => snapshot.LastWriteTimeUtc);
            throw new ModelLoadException(
                $"{path} is an entry of a model cache. Give one of its snapshots, {latest?.FullName ?? snapshots + "/<revision>"}."
            );
        }
    }

    /// <summary>Where a weight lies.</summary>
    /// <exception cref="ModelLoadException">There is no such weight.</exception>
    public (string Path, SafetensorsEntry Entry) Find(string name) =>
        TryFind(name) ?? throw new ModelLoadException($"{Path} has no weight {name}. Download the complete model folder.");

    /// <summary>Where a weight lies; null where there is none.</summary>
    public (string Path, SafetensorsEntry Entry)? TryFind(string name) => _weights.TryGetValue(name, out var found) ? found : null;

    /// <summary>What its makers recommend for requests that leave it open.</summary>
    /// <exception cref="ModelLoadException">A value is out of its range.</exception>
    public GenerationDefaults ReadGenerationDefaults() => GenerationDefaultsReader.Read(Path);

    /// <summary>Notes something odd that can be worked with.</summary>
    public void Warn(string sentence)
    {
        if (!_warnings.Contains(sentence))
        {
            _warnings.Add(sentence);
        }
    }

    private static Dictionary<string, (string Path, SafetensorsEntry Entry)> ReadWeights(string folder)
    {
        var single = System.IO.Path.Combine(folder, SingleFileName);
        var index = System.IO.Path.Combine(folder, IndexFileName);
        if (ModelFile.Exists(single))
        {
            return SafetensorsFile
                .Open(single)
                .Entries.ToDictionary(pair => pair.Key, pair => (single, pair.Value), StringComparer.Ordinal);
        }

        return ModelFile.Exists(index)
            ? SafetensorsIndex.ReadWeights(index)
            : throw new ModelLoadException(
                $"{folder} has neither {SingleFileName} nor {IndexFileName}. Only safetensors weights are read: convert others, or "
                    + "download the complete model folder."
            );
    }
}
