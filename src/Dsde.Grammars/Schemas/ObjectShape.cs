using System.Text.Json;

namespace Dsde.Grammars.Schemas;

/// <summary>The properties of a schema's objects.</summary>
/// <param name="Properties">Those that are listed, in their order, and those that are required without being listed.</param>
/// <param name="Others">What others may be; null if there are none.</param>
internal sealed record ObjectShape(IReadOnlyList<ObjectShape.Property> Properties, SchemaNode? Others)
{
    private static readonly JsonElement True = JsonDocument.Parse("true").RootElement;

    /// <summary>A property.</summary>
    public readonly record struct Property(string Name, SchemaNode Schema, bool IsRequired);

    /// <summary>Reads a schema.</summary>
    /// <exception cref="GrammarException">A keyword does not do.</exception>
    public static ObjectShape Read(SchemaNode schema)
    {
        var required = FindRequired(schema);
        var listed = schema.Child("properties")?.Entries().ToList() ?? [];
        var additional = schema.Child("additionalProperties");
        var others = additional is { Value.ValueKind: not JsonValueKind.False } ? additional : null;
        var missing = required.Where(name => !listed.Exists(property => property.Name == name)).ToList();
        if (missing.Count > 0 && additional is { Value.ValueKind: JsonValueKind.False })
        {
            throw new GrammarException(
                schema.PointerOf("required"),
                $"names '{missing[0]}', which is not listed, and additionalProperties is false; list it as a property."
            );
        }

        return new ObjectShape(
            [
                .. listed.Select(property => new Property(property.Name, property.Schema, required.Contains(property.Name))),
                .. missing.Select(name => new Property(name, others ?? new SchemaNode(True, schema.PointerOf("required")), true)),
            ],
            others
        );
    }

    /// <summary>Names that are required.</summary>
    /// <exception cref="GrammarException">It is no list of names.</exception>
    public static IReadOnlyList<string> FindRequired(SchemaNode schema)
    {
        if (schema.Child("required") is not { } required)
        {
            return [];
        }

        return
            required.Value.ValueKind == JsonValueKind.Array
            && required.Value.EnumerateArray().All(name => name.ValueKind == JsonValueKind.String)
            ? [.. required.Value.EnumerateArray().Select(name => name.GetString()!).Distinct()]
            : throw required.Mistake("must be a list of names");
    }
}
