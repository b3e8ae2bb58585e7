using System.Runtime.InteropServices;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Files;

namespace Dsde.ModelForge.Padding;

/// <summary>Reads single rows of a model's weights.</summary>
internal sealed class SourceWeights(string folder) : IDisposable
{
    private readonly ModelFolder _folder = ModelFolder.Open(folder);
    private readonly Dictionary<string, FileStream> _files = [];

    /// <summary>Dimensions of a weight, outermost first.</summary>
    public IReadOnlyList<long> ShapeOf(string name) => _folder.Find(name).Entry.Shape;

    /// <summary>Whether an output projection is stored that is another than the embedding: the engine then uses it, whatever the
    /// configuration says.</summary>
    public bool HasOwnHead => _folder.StoresHead && !AreSame(ModelFolder.HeadName, PaddedModel.EmbeddingName);

    /// <summary>One row; of a vector, all of it.</summary>
    public void ReadRow(string name, int row, Span<float> destination)
    {
        var (path, entry) = _folder.Find(name);
        if (!_files.TryGetValue(path, out var file))
        {
            _files.Add(path, file = File.OpenRead(path));
        }

        var size = entry.DataType.ByteSize();
        file.Position = entry.Offset + ((long)row * destination.Length * size);
        var bytes = new byte[destination.Length * size];
        file.ReadExactly(bytes);
        switch (entry.DataType)
        {
            case SafetensorsDataType.F32:
                MemoryMarshal.Cast<byte, float>(bytes).CopyTo(destination);
                break;
            case SafetensorsDataType.BF16:
                var narrow = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (var i = 0; i < narrow.Length; i++)
                {
                    destination[i] = BitConverter.UInt32BitsToSingle((uint)narrow[i] << 16);
                }

                break;
            default:
                throw new PaddingException($"{path}: {name} is stored as {entry.DataType}; models in BF16 and F32 can be padded.");
        }
    }

    private bool AreSame(string name, string other)
    {
        var shape = ShapeOf(name);
        if (!shape.SequenceEqual(ShapeOf(other)))
        {
            return false;
        }

        var (row, otherRow) = (new float[shape[^1]], new float[shape[^1]]);
        for (var i = 0; i < shape[0]; i++)
        {
            ReadRow(name, i, row);
            ReadRow(other, i, otherRow);
            if (!row.AsSpan().SequenceEqual(otherRow))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files.Values)
        {
            file.Dispose();
        }
    }
}
