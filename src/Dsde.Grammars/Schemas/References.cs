using System.Text.Json;

namespace Dsde.Grammars.Schemas;

/// <summary>Finds what <c>$ref</c> names.</summary>
internal static class References
{
    /// <summary>The schema that a reference leads to.</summary>
    /// <param name="root">The whole schema.</param>
    /// <param name="reference">The value of <c>$ref</c>.</param>
    /// <exception cref="GrammarException">It leads out of the schema, or nowhere.</exception>
    public static SchemaNode Resolve(JsonElement root, SchemaNode reference)
    {
        if (
            reference.Value.ValueKind != JsonValueKind.String
            || reference.Value.GetString() is not ['#', .. var path] target
            || (path.Length > 0 && path[0] != '/')
        )
        {
            throw reference.Mistake("must be a JSON pointer within the schema, such as \"#/$defs/name\"");
        }

        var value = root;
        foreach (var part in Uri.UnescapeDataString(path).Split('/').Skip(1))
        {
            var name = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            var found =
                value.ValueKind == JsonValueKind.Object ? value.TryGetProperty(name, out var inner)
                : value.ValueKind == JsonValueKind.Array
                && int.TryParse(name, out var index)
                && index >= 0
                && index < value.GetArrayLength()
                    ? Take(value[index], out inner)
                : Take(default, out inner) && false;
            value = found ? inner : throw reference.Mistake($"leads to {target}, which is not there");
        }

        return new SchemaNode(value, target);
    }

    private static bool Take(JsonElement value, out JsonElement taken)
    {
        taken = value;
        return true;
    }
}
