using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dsde.Contracts;

/// <summary>
/// Moments as ISO 8601 has them. One without an offset is UTC: taken for local time, it would be another moment on every worker.
/// </summary>
public sealed class InstantConverter : JsonConverter<DateTimeOffset>
{
    /// <summary>Reads a moment; false if the value is none.</summary>
    public static bool TryRead(JsonElement value, out DateTimeOffset moment)
    {
        moment = default;
        if (value.ValueKind != JsonValueKind.String || !value.TryGetDateTime(out var time))
        {
            return false;
        }

        if (time.Kind == DateTimeKind.Unspecified)
        {
            moment = new DateTimeOffset(time, TimeSpan.Zero);
            return true;
        }

        return value.TryGetDateTimeOffset(out moment);
    }

    /// <inheritdoc/>
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw new JsonException();
        }

        return reader.GetDateTime() is { Kind: DateTimeKind.Unspecified } withoutOffset
            ? new DateTimeOffset(withoutOffset, TimeSpan.Zero)
            : reader.GetDateTimeOffset().ToUniversalTime();
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(value.ToUniversalTime());
    }
}
