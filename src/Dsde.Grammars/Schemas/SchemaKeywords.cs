using System.Text.Json;

namespace Dsde.Grammars.Schemas;

/// <summary>Which keywords of JSON Schema there are here. Anything else is refused: what is not enforced must not look as if it
/// were.</summary>
internal static class SchemaKeywords
{
    /// <summary>Keywords of objects.</summary>
    public static readonly string[] OfObjects = ["properties", "required", "additionalProperties"];

    /// <summary>Keywords of arrays.</summary>
    public static readonly string[] OfArrays = ["items", "prefixItems", "minItems", "maxItems"];

    /// <summary>Keywords of strings.</summary>
    public static readonly string[] OfStrings = ["minLength", "maxLength", "pattern", "format"];

    /// <summary>Keywords of numbers.</summary>
    public static readonly string[] OfNumbers = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];

    /// <summary>They say all of what a value may be, and bear none of the above beside them.</summary>
    public static readonly string[] Deciding = ["$ref", "const", "enum", "anyOf", "oneOf", "allOf"];

    /// <summary>They say nothing about values.</summary>
    private static readonly string[] Annotations =
    [
        "$schema",
        "$comment",
        "$defs",
        "definitions",
        "title",
        "description",
        "default",
        "example",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
    ];

    private static readonly string[] All = ["type", "nullable", .. Deciding, .. OfObjects, .. OfArrays, .. OfStrings, .. OfNumbers];

    /// <summary>Makes sure that a schema says only what is understood.</summary>
    /// <exception cref="GrammarException">It has another keyword, or two that are not supported together.</exception>
    public static void Require(SchemaNode schema)
    {
        if (schema.Value.ValueKind != JsonValueKind.Object)
        {
            throw schema.Mistake("must be a schema: an object, true or false");
        }

        var deciding = Array.Find(Deciding, schema.Has);
        foreach (var keyword in schema.Value.EnumerateObject().Select(entry => entry.Name))
        {
            if (Annotations.Contains(keyword) || (keyword == "$id" && schema.Pointer == "#"))
            {
                continue;
            }

            if (!All.Contains(keyword) && !IsWithoutEffect(keyword, schema))
            {
                throw new GrammarException(
                    schema.PointerOf(keyword),
                    $"is not supported; supported are {string.Join(", ", All)}. Remove the keyword."
                );
            }

            if (deciding is not null && keyword != deciding && !IsAllowedBeside(deciding, keyword))
            {
                throw new GrammarException(
                    schema.PointerOf(keyword),
                    $"is not supported beside {deciding}; say all of it in one place, for example in each branch of an anyOf."
                );
            }
        }
    }

    private static bool IsAllowedBeside(string deciding, string keyword) =>
        keyword == "nullable" || (keyword == "type" && deciding is "const" or "enum") || !All.Contains(keyword);

    private static bool IsWithoutEffect(string keyword, SchemaNode schema) =>
        keyword == "uniqueItems" && schema.Find(keyword)?.ValueKind == JsonValueKind.False;
}
