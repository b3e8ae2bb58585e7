using System.Text.Json;

namespace Dsde.Engine.Models.Files;

/// <summary>Reads the JSON header of a safetensors file strictly: the entries must fill the data section without overlap or hole.</summary>
internal static class SafetensorsHeader
{
    private const string MetadataKey = "__metadata__";

    public static Dictionary<string, SafetensorsEntry> Parse(string path, byte[] header, long fileLength)
    {
        var dataStart = SafetensorsFile.LengthFieldSize + header.LongLength;
        var entries = new Dictionary<string, SafetensorsEntry>(StringComparer.Ordinal);
        try
        {
            if (!JsonText.IsReadable(header))
            {
                throw SafetensorsFile.Broken(path, "its header holds text that is not Unicode");
            }

            using var document = JsonDocument.Parse(header);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw SafetensorsFile.Broken(path, "its header is not a JSON object");
            }

            foreach (var property in document.RootElement.EnumerateObject().Where(property => !property.NameEquals(MetadataKey)))
            {
                var entry = ParseEntry(path, property, dataStart, fileLength);
                if (!entries.TryAdd(property.Name, entry))
                {
                    throw SafetensorsFile.Broken(path, $"tensor {property.Name} is listed twice");
                }
            }
        }
        catch (JsonException e)
        {
            throw SafetensorsFile.Broken(path, "its header is not valid JSON", e);
        }

        CheckLayout(path, entries, dataStart, fileLength);
        return entries;
    }

    private static SafetensorsEntry ParseEntry(string path, JsonProperty tensor, long dataStart, long fileLength)
    {
        if (
            tensor.Value.ValueKind != JsonValueKind.Object
            || !tensor.Value.TryGetProperty("dtype", out var typeName)
            || typeName.ValueKind != JsonValueKind.String
            || ReadNumbers(tensor.Value, "shape") is not { } shape
            || ReadNumbers(tensor.Value, "data_offsets") is not [var begin, var end]
        )
        {
            throw SafetensorsFile.Broken(path, $"tensor {tensor.Name} lacks a proper dtype, shape or data_offsets");
        }

        if (!Enum.TryParse<SafetensorsDataType>(typeName.GetString(), out var type) || type.ToString() != typeName.GetString())
        {
            throw new ModelLoadException(
                $"{path}: tensor {tensor.Name} has dtype {typeName.GetString()}; supported: "
                    + $"{string.Join(", ", Enum.GetNames<SafetensorsDataType>())}."
            );
        }

        if (begin > end || end > fileLength - dataStart)
        {
            throw SafetensorsFile.Broken(
                path,
                $"tensor {tensor.Name} lies at bytes {begin} to {end} of the data, which has {fileLength - dataStart} bytes; the file "
                    + "is cut short"
            );
        }

        if (end - begin != ByteLength(shape, type))
        {
            throw SafetensorsFile.Broken(
                path,
                $"tensor {tensor.Name} has {end - begin} bytes, which does not fit {type} [{string.Join(", ", shape)}]"
            );
        }

        return new SafetensorsEntry(type, shape, dataStart + begin, end - begin);
    }

    private static long[]? ReadNumbers(JsonElement tensor, string key)
    {
        if (!tensor.TryGetProperty(key, out var list) || list.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var numbers = new long[list.GetArrayLength()];
        for (var i = 0; i < numbers.Length; i++)
        {
            if (list[i].ValueKind != JsonValueKind.Number || !list[i].TryGetInt64(out numbers[i]) || numbers[i] < 0)
            {
                return null;
            }
        }

        return numbers;
    }

    /// <summary>Bytes of a tensor; saturates, so that an absurd shape never matches a real length.</summary>
    private static long ByteLength(long[] shape, SafetensorsDataType type)
    {
        Int128 length = type.ByteSize();
        foreach (var dimension in shape)
        {
            length = Int128.Min(length * dimension, long.MaxValue);
        }

        return (long)length;
    }

    private static void CheckLayout(string path, Dictionary<string, SafetensorsEntry> entries, long dataStart, long fileLength)
    {
        var position = dataStart;
        foreach (var (name, entry) in entries.OrderBy(pair => pair.Value.Offset).ThenBy(pair => pair.Value.ByteLength))
        {
            if (entry.Offset != position)
            {
                throw SafetensorsFile.Broken(path, $"tensor {name} {(entry.Offset < position ? "overlaps another" : "follows a gap")}");
            }

            position += entry.ByteLength;
        }

        if (position != fileLength)
        {
            throw SafetensorsFile.Broken(path, $"its tensors end at byte {position}, but the file has {fileLength} bytes");
        }
    }
}
