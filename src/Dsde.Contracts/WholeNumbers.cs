using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dsde.Contracts;

/// <summary>Whole numbers in JSON, however they are written: 12, 12.0 and 1.2e1 are the same number.</summary>
public static class WholeNumbers
{
    private const int MostDigits = 19; // of 64 bits

    /// <summary>Reads a number if it is a whole one that fits.</summary>
    public static bool TryRead(JsonElement value, out long number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number
            && (value.TryGetInt64(out number) || TryParse(JsonMarshal.GetRawUtf8Value(value), out number, out _));
    }

    /// <summary>Whether a value is a whole number, however large.</summary>
    public static bool IsWhole(JsonElement value)
    {
        var isWhole = false;
        return value.ValueKind == JsonValueKind.Number && (TryParse(JsonMarshal.GetRawUtf8Value(value), out _, out isWhole) || isWhole);
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
        : TryParse(reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan, out number, out _) ? number
        : throw new JsonException();

    /// <summary>By its digits, as every type of numbers takes one for whole that is near enough to it.</summary>
    /// <param name="json">A number of JSON.</param>
    /// <param name="number">The same, if it is a whole one that fits.</param>
    /// <param name="isWhole">Whether it is a whole one.</param>
    private static bool TryParse(ReadOnlySpan<byte> json, out long number, out bool isWhole)
    {
        (number, isWhole) = (0, true);
        var text = Encoding.ASCII.GetString(json);
        var end = text.AsSpan().IndexOfAny('e', 'E');
        var mantissa = (end < 0 ? text : text[..end]).TrimStart('-');
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal).TrimStart('0');
        var significant = digits.TrimEnd('0');
        if (significant.Length == 0)
        {
            return true;
        }

        var zeros = digits.Length - significant.Length - (point < 0 ? 0 : mantissa.Length - point - 1) + ReadExponent(text, end);
        isWhole = zeros >= 0;
        if (!isWhole || significant.Length + zeros > MostDigits)
        {
            return false;
        }

        var value = Int128.Parse($"{(text[0] == '-' ? "-" : "")}{significant}{new string('0', (int)zeros)}", CultureInfo.InvariantCulture);
        var fits = value >= long.MinValue && value <= long.MaxValue;
        number = fits ? (long)value : 0;
        return fits;
    }

    /// <summary>The power of ten; of one that nobody can mean, a larger one than any number of digits.</summary>
    private static long ReadExponent(string text, int place) =>
        place < 0 ? 0
        : int.TryParse(text.AsSpan(place + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent) ? exponent
        : text[place + 1] == '-' ? long.MinValue / 2
        : long.MaxValue / 2;
}
