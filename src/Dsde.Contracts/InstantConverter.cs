using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dsde.Contracts;

/// <summary>
/// Moments as ISO 8601 has them. One without an offset is UTC: taken for local time, it would be another moment on every worker.
/// </summary>
public sealed class InstantConverter : JsonConverter<DateTimeOffset>
{
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
