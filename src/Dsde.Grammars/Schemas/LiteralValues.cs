using System.Text;
using System.Text.Json;
using Dsde.Grammars.Automata;

namespace Dsde.Grammars.Schemas;

/// <summary>Values that a schema spells out.</summary>
internal static class LiteralValues
{
    /// <summary>The values of <c>enum</c> or <c>const</c> that are of the schema's types.</summary>
    /// <exception cref="GrammarException">It is no list.</exception>
    public static IReadOnlyList<SchemaNode> Find(SchemaNode schema)
    {
        var values = schema.Child("const") is { } constant ? [constant] : schema.Child("enum")?.Items() ?? [];
        return SchemaTypes.FindGiven(schema) is { } types
            ? [.. values.Where(value => types.Any(type => SchemaTypes.Is(value.Value, type)))]
            : values;
    }

    /// <summary>The automaton of some values, written without white space.</summary>
    /// <exception cref="GrammarException">There are none, or too many, or one can't be written.</exception>
    public static Terminal Create(SchemaNode schema)
    {
        var texts = Find(schema).Select(Write).DistinctBy(Convert.ToBase64String).Select(text => Pattern.Of(text)).ToList();
        try
        {
            return PatternCompiler.Compile(new Pattern.Choice(texts)) ?? throw schema.Mistake("has no value of its own type");
        }
        catch (TooLargeException)
        {
            throw schema.Mistake("is too large: its values have too many characters. Give fewer");
        }
    }

    private static byte[] Write(SchemaNode value)
    {
        try
        {
            return Write(value.Value);
        }
        catch (ArgumentException exception)
        {
            throw value.Mistake("can't be written: " + exception.Message.TrimEnd('.'));
        }
    }

    /// <summary>A value as outputs have it, without white space.</summary>
    /// <exception cref="ArgumentException">It has a text that no output can have.</exception>
    public static byte[] Write(JsonElement value)
    {
        using var written = new MemoryStream();
        Write(value, written);
        return written.ToArray();
    }

    private static void Write(JsonElement value, MemoryStream target)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                target.WriteByte((byte)'{');
                foreach (var (index, entry) in value.EnumerateObject().Index())
                {
                    target.Write(index > 0 ? ","u8 : []);
                    target.Write(JsonText.Quote(entry.Name));
                    target.WriteByte((byte)':');
                    Write(entry.Value, target);
                }

                target.WriteByte((byte)'}');
                break;
            case JsonValueKind.Array:
                target.WriteByte((byte)'[');
                foreach (var (index, item) in value.EnumerateArray().Index())
                {
                    target.Write(index > 0 ? ","u8 : []);
                    Write(item, target);
                }

                target.WriteByte((byte)']');
                break;
            case JsonValueKind.String:
                target.Write(JsonText.Quote(value.GetString()!));
                break;
            default:
                target.Write(Encoding.UTF8.GetBytes(value.GetRawText()));
                break;
        }
    }
}
