using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dsde.Contracts;

/// <summary>Whole numbers in JSON, however they are written: 12, 12.0 and 1.2e1 are the same number.</summary>
public static class WholeNumbers
{
    /// <summary>Reads a number if it is a whole one that fits.</summary>
    public static bool TryRead(JsonElement value, out long number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number
            && (value.TryGetInt64(out number) || (value.TryGetDecimal(out var exact) && TryNarrow(exact, out number)));
    }

    /// <summary>Reads <see cref="int"/> as above.</summary>
    public sealed class IntegerConverter : JsonConverter<int>
    {
        /// <inheritdoc/>
        public override int Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            ReadLong(ref reader) is >= int.MinValue and <= int.MaxValue and var number ? (int)number : throw new JsonException();

        /// <inheritdoc/>
        public override void Write(Utf8JsonWriter writer, int value, JsonSerializerOptions options)
        {
            ArgumentNullException.ThrowIfNull(writer);
            writer.WriteNumberValue(value);
        }
    }

    /// <summary>Reads <see cref="long"/> as above.</summary>
    public sealed class LongConverter : JsonConverter<long>
    {
        /// <inheritdoc/>
        public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => ReadLong(ref reader);

        /// <inheritdoc/>
        public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options)
        {
            ArgumentNullException.ThrowIfNull(writer);
            writer.WriteNumberValue(value);
        }
    }

    private static long ReadLong(ref Utf8JsonReader reader) =>
        reader.TokenType != JsonTokenType.Number ? throw new JsonException()
        : reader.TryGetInt64(out var number) ? number
        : reader.TryGetDecimal(out var exact) && TryNarrow(exact, out number) ? number
        : throw new JsonException();

    private static bool TryNarrow(decimal exact, out long number)
    {
        var fits = exact == decimal.Truncate(exact) && exact is >= long.MinValue and <= long.MaxValue;
        number = fits ? (long)exact : 0;
        return fits;
    }
}
