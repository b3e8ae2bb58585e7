using System.Text;

namespace Dsde.PeerBench;

/// <summary>
/// Writes a model as llama.cpp reads it: GGUF version 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). Header, settings, and
/// a directory of tensors come first; then the tensors, each at a multiple of <see cref="Alignment"/>.
/// </summary>
internal sealed class GgufFile
{
    private const int Alignment = 32;
    private const uint Version = 3;
    private const uint UInt32Type = 4;
    private const uint Float32Type = 6;
    private const uint StringType = 8;

    private readonly List<(string Key, uint Type, object Value)> _settings = [];
    private readonly List<Entry> _tensors = [];

    /// <summary>Adds a whole number.</summary>
    public void Add(string key, int value) => _settings.Add((key, UInt32Type, (uint)value));

    /// <summary>Adds a number.</summary>
    public void Add(string key, float value) => _settings.Add((key, Float32Type, value));

    /// <summary>Adds a text.</summary>
    public void Add(string key, string value) => _settings.Add((key, StringType, value));

    /// <summary>Adds a tensor.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">Outermost first.</param>
    /// <param name="type">Type of its numbers.</param>
    /// <param name="read">Gives its bytes when the file is written, one tensor at a time.</param>
    public void Add(string name, IReadOnlyList<long> shape, GgufType type, Func<byte[]> read) =>
        _tensors.Add(new Entry(name, shape, type, read));

    /// <summary>Writes it.</summary>
    public void Write(string path)
    {
        using var file = File.Create(path);
        using var writer = new BinaryWriter(file);
        writer.Write("GGUF"u8);
        writer.Write(Version);
        writer.Write((ulong)_tensors.Count);
        writer.Write((ulong)_settings.Count);
        foreach (var (key, type, value) in _settings)
        {
            WriteText(writer, key);
            writer.Write(type);
            switch (value)
            {
                case uint whole:
                    writer.Write(whole);
                    break;
                case float number:
                    writer.Write(number);
                    break;
                default:
                    WriteText(writer, (string)value);
                    break;
            }
        }

        var offset = 0L;
        foreach (var tensor in _tensors)
        {
            WriteText(writer, tensor.Name);
            writer.Write((uint)tensor.Shape.Count);
            foreach (var length in tensor.Shape.Reverse())
            {
                writer.Write((ulong)length);
            }

            writer.Write((uint)tensor.Type);
            writer.Write((ulong)offset);
            offset += Align(tensor.ByteLength);
        }

        foreach (var tensor in _tensors)
        {
            Pad(writer);
            writer.Write(tensor.Read());
        }

        Pad(writer);
    }

    private static long Align(long length) => (length + Alignment - 1) / Alignment * Alignment;

    private static void Pad(BinaryWriter writer)
    {
        writer.Flush();
        writer.Write(new byte[Align(writer.BaseStream.Position) - writer.BaseStream.Position]);
    }

    private static void WriteText(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private sealed record Entry(string Name, IReadOnlyList<long> Shape, GgufType Type, Func<byte[]> Read)
    {
        public long ByteLength => Shape.Aggregate(1L, (count, length) => count * length) * (Type == GgufType.F32 ? 4 : 2);
    }
}

/// <summary>Types of numbers, as GGUF counts them.</summary>
internal enum GgufType
{
    /// <summary>Single precision.</summary>
    F32 = 0,

    /// <summary>The upper half of single precision.</summary>
    BF16 = 30,
}
