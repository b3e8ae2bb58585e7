using System.Buffers.Binary;

namespace Dsde.Engine.Models.Files;

/// <summary>
/// The table of contents of one safetensors file: eight bytes of header length, a JSON header, then the tensors' bytes. Only the header is
/// read; the weights are mapped by whoever needs them, who may rely on every entry lying inside the file.
/// </summary>
internal sealed class SafetensorsFile
{
    /// <summary>Bytes of the header's length field.</summary>
    public const int LengthFieldSize = 8;

    private SafetensorsFile(string path, IReadOnlyDictionary<string, SafetensorsEntry> entries)
    {
        Path = path;
        Entries = entries;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries { get; }

    /// <summary>Reads and checks the header.</summary>
    /// <exception cref="ModelLoadException">The file is missing, cut short or inconsistent.</exception>
    public static SafetensorsFile Open(string path)
    {
        using var stream = ModelFile.Open(path);
        try
        {
            var fileLength = stream.Length;
            var header = ReadHeader(path, stream, fileLength);
            return new SafetensorsFile(path, SafetensorsHeader.Parse(path, header, fileLength));
        }
        catch (IOException e)
        {
            throw ModelFile.Unreadable(path, e);
        }
    }

    private static byte[] ReadHeader(string path, FileStream stream, long fileLength)
    {
        if (fileLength < LengthFieldSize)
        {
            throw Broken(path, $"it is {fileLength} bytes long, too short to be a safetensors file");
        }

        Span<byte> lengthField = stackalloc byte[LengthFieldSize];
        stream.ReadExactly(lengthField);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(lengthField);
        if (headerLength > (ulong)(fileLength - LengthFieldSize) || headerLength > int.MaxValue)
        {
            throw Broken(
                path,
                $"its header claims {headerLength} bytes, but the file has {fileLength}; it is cut short or not a safetensors file"
            );
        }

        var header = new byte[headerLength];
        stream.ReadExactly(header);
        return header;
    }

    /// <summary>Says what is wrong with a file whose bytes can't be right.</summary>
    public static ModelLoadException Broken(string path, string what, Exception? cause = null) =>
        new($"{path} is broken: {what}. Download it again.", cause);
}
