using System.Text.Json;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>Steps over the properties of an object without making anything of their values, however long they are.</summary>
internal static class JsonWalk
{
    private const int LongestName = 96; // bytes of any name that is looked for, however JSON spells its letters

    /// <summary>JSON as MassTransit's own serializer reads it.</summary>
    public static readonly JsonReaderOptions Options = new()
    {
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
        MaxDepth = 64,
    };

    /// <summary>Sees a value. The reader stands on its first token, and may be left there or at its end.</summary>
    /// <param name="name">Of the property; empty if it is none that anybody looks for.</param>
    /// <param name="reader">On the value.</param>
    public delegate void Visitor(string name, ref Utf8JsonReader reader);

    /// <summary>Walks to the end.</summary>
    /// <exception cref="JsonException">It is not an object in JSON, or something follows it.</exception>
    public static void Walk(ReadOnlySpan<byte> json, Visitor visit)
    {
        var reader = new Utf8JsonReader(json, Options);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("not an object");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.ValueSpan.Length <= LongestName && TryGetText(ref reader) is { } text ? text : "";
            reader.Read();
            visit(name, ref reader);
            reader.Skip();
        }

        while (reader.Read())
        {
            // only comments may follow; anything else throws
        }
    }

    /// <summary>The text of a string or name; null if it is none, or no valid Unicode.</summary>
    public static string? TryGetText(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName ? reader.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The id that a string is; null if it is none.</summary>
    public static Guid? TryGetId(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String && reader.TryGetGuid(out var id) ? id : null;
}
