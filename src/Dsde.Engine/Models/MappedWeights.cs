using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models;

/// <summary>Weights of a folder, read from memory-mapped files: what is stored in the wanted type is not copied until it is fused or moved.</summary>
internal sealed class MappedWeights(ModelFolder folder, ScalarType type, Device device) : IDisposable
{
    private readonly Dictionary<(string Path, ScalarType Type), Tensor> _files = []; // [elements], the whole file mapped as one type

    /// <summary>One weight in the wanted type, in the caller's scope.</summary>
    /// <exception cref="ModelLoadException">It is missing, of another shape, or of a type that is not a float.</exception>
    public Tensor Read(string name, params ReadOnlySpan<long> shape)
    {
        var (path, entry) = folder.Find(name);
        if (!shape.SequenceEqual(entry.Shape.ToArray()))
        {
            throw new ModelLoadException(
                $"{path}: {name} has shape [{string.Join(", ", entry.Shape)}], but config.json makes it [{string.Join(", ", shape.ToArray())}]. "
                + "Weights and configuration belong to different models.");
        }

        var elementSize = entry.DataType.ByteSize();
        return Map(path, StoredType(path, name, entry), elementSize)
            .narrow(0, entry.Offset / elementSize, entry.ByteLength / elementSize).view(shape.ToArray()).to(type).to(device);
    }

    /// <summary>Unmaps the files as far as no weight still lies in them.</summary>
    public void Dispose()
    {
        foreach (var file in _files.Values)
        {
            file.Dispose();
        }
    }

    private static ScalarType StoredType(string path, string name, SafetensorsEntry entry) => entry.DataType switch
    {
        SafetensorsDataType.BF16 => ScalarType.BFloat16,
        SafetensorsDataType.F16 => ScalarType.Float16,
        SafetensorsDataType.F32 => ScalarType.Float32,
        _ => throw new ModelLoadException($"{path}: {name} is stored as {entry.DataType}. Weights in BF16, F16 and F32 are read; convert this model."),
    };

    private Tensor Map(string path, ScalarType storedType, int elementSize)
    {
        if (!_files.TryGetValue((path, storedType), out var file))
        {
            file = from_file(path, false, new FileInfo(path).Length / elementSize, storedType).DetachFromDisposeScope();
            _files.Add((path, storedType), file);
        }

        return file;
    }
}
