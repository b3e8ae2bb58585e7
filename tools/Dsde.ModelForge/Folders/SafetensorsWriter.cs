using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace Dsde.ModelForge.Folders;

/// <summary>Writes safetensors files row by row: no weight is ever whole in memory, and zeros are stored like any other number.</summary>
internal static class SafetensorsWriter
{
    private const int Alignment = 8;

    /// <summary>Format: length of the header (8 bytes, little-endian), the header in JSON padded to a multiple of 8, the data.</summary>
    public static void Write(string path, IEnumerable<StoredWeight> weights, CancellationToken cancellationToken)
    {
        // wide types first keeps every weight at a multiple of its size
        var ordered = weights.OrderByDescending(weight => weight.Type).ToList();
        var header = Encoding.UTF8.GetBytes(Header(ordered).ToJsonString());
        var padded = (header.Length + Alignment - 1) / Alignment * Alignment;
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, padded);
        file.Write(length);
        file.Write(header);
        file.Write(Enumerable.Repeat((byte)' ', padded - header.Length).ToArray());
        foreach (var weight in ordered)
        {
            cancellationToken.ThrowIfCancellationRequested();
            WriteRows(file, weight);
        }
    }

    /// <summary>The nearest bf16 number, ties to even.</summary>
    public static ushort ToBf16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static JsonObject Header(IEnumerable<StoredWeight> weights)
    {
        var header = new JsonObject { ["__metadata__"] = new JsonObject { ["format"] = "pt" } };
        long offset = 0;
        foreach (var weight in weights)
        {
            var end = offset + weight.ByteLength;
            header[weight.Name] = new JsonObject
            {
                ["dtype"] = weight.Type.ToString(),
                ["shape"] = new JsonArray([.. weight.Shape.Select(length => (JsonNode)length)]),
                ["data_offsets"] = new JsonArray(offset, end),
            };
            offset = end;
        }

        return header;
    }

    private static void WriteRows(FileStream file, StoredWeight weight)
    {
        var narrow = weight.Type == StoredType.BF16 ? new ushort[weight.Shape[^1]] : [];
        foreach (var row in weight.Rows)
        {
            if (weight.Type == StoredType.F32)
            {
                file.Write(MemoryMarshal.AsBytes(row.AsSpan()));
                continue;
            }

            for (var i = 0; i < row.Length; i++)
            {
                narrow[i] = ToBf16(row[i]);
            }

            file.Write(MemoryMarshal.AsBytes(narrow.AsSpan()));
        }
    }
}
