using System.Text.Json;

namespace Dsde.Grammars.Schemas;

/// <summary>The types of JSON Schema.</summary>
internal static class SchemaTypes
{
    private static readonly string[] All = ["object", "array", "string", "number", "integer", "boolean", "null"];

    /// <summary>The types that outputs may have: as given, or as the keywords tell; empty for any.</summary>
    /// <exception cref="GrammarException">A type is none.</exception>
    public static IReadOnlyList<string> Find(SchemaNode schema)
    {
        var types = FindGiven(schema) ?? Infer(schema);
        return types.Contains("number") ? [.. types.Where(type => type != "integer")] : types;
    }

    /// <summary>The types that <c>type</c> names; null if it is not there.</summary>
    /// <exception cref="GrammarException">A type is none.</exception>
    public static IReadOnlyList<string>? FindGiven(SchemaNode schema)
    {
        if (schema.Child("type") is not { } given)
        {
            return null;
        }

        var names = given.Value.ValueKind == JsonValueKind.Array ? given.Items() : [given];
        return
        [
            .. names
                .Select(name =>
                    name.Value.ValueKind == JsonValueKind.String && All.Contains(name.Value.GetString()!)
                        ? name.Value.GetString()!
                        : throw name.Mistake($"must be one of {string.Join(", ", All)}, or a list of these")
                )
                .Distinct(),
        ];
    }

    /// <summary>Whether a value is of a type.</summary>
    public static bool Is(JsonElement value, string type) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => type == "object",
            JsonValueKind.Array => type == "array",
            JsonValueKind.String => type == "string",
            JsonValueKind.Number => type == "number" || (type == "integer" && double.IsInteger(value.GetDouble())),
            JsonValueKind.Null => type == "null",
            _ => type == "boolean",
        };

    /// <summary>Whether null is a value besides.</summary>
    /// <exception cref="GrammarException">It is neither true nor false.</exception>
    public static bool IsNullable(SchemaNode schema) =>
        schema.Child("nullable") is { } nullable
        && (
            nullable.Value.ValueKind is JsonValueKind.True or JsonValueKind.False
                ? nullable.Value.GetBoolean()
                : throw nullable.Mistake("must be true or false")
        );

    /// <summary>A schema that names no type but has keywords of some is taken to mean these.</summary>
    private static List<string> Infer(SchemaNode schema)
    {
        (string Type, string[] Keywords)[] groups =
        [
            ("object", SchemaKeywords.OfObjects),
            ("array", SchemaKeywords.OfArrays),
            ("string", SchemaKeywords.OfStrings),
            ("number", SchemaKeywords.OfNumbers),
        ];
        return [.. groups.Where(group => group.Keywords.Any(schema.Has)).Select(group => group.Type)];
    }
}
