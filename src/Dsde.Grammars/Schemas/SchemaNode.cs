using System.Globalization;
using System.Text.Json;

namespace Dsde.Grammars.Schemas;

/// <summary>A schema within the whole, and where it stands.</summary>
/// <param name="Value">An object, or true or false.</param>
/// <param name="Pointer">As a URI fragment: <c>#/properties/name</c>.</param>
internal readonly record struct SchemaNode(JsonElement Value, string Pointer)
{
    /// <summary>The value of a keyword; null if it is not there.</summary>
    public JsonElement? Find(string keyword) =>
        Value.ValueKind == JsonValueKind.Object && Value.TryGetProperty(keyword, out var value) ? value : null;

    /// <summary>Whether a keyword is there.</summary>
    public bool Has(string keyword) => Find(keyword) is not null;

    /// <summary>The schema that a keyword holds; null if it is not there.</summary>
    public SchemaNode? Child(string keyword) => Find(keyword) is { } value ? new SchemaNode(value, PointerOf(keyword)) : null;

    /// <summary>Schemas by name, in their order.</summary>
    /// <exception cref="GrammarException">It is no object.</exception>
    public IEnumerable<(string Name, SchemaNode Schema)> Entries()
    {
        var pointer = Pointer;
        return Value.ValueKind == JsonValueKind.Object
            ? Value.EnumerateObject().Select(entry => (entry.Name, new SchemaNode(entry.Value, $"{pointer}/{Escape(entry.Name)}")))
            : throw Mistake("must be an object");
    }

    /// <summary>Schemas of a list, in their order.</summary>
    /// <exception cref="GrammarException">It is no list, or empty.</exception>
    public IReadOnlyList<SchemaNode> Items()
    {
        var pointer = Pointer;
        return Value.ValueKind == JsonValueKind.Array && Value.GetArrayLength() > 0
            ? [.. Value.EnumerateArray().Select((item, index) => new SchemaNode(item, $"{pointer}/{index}"))]
            : throw Mistake("must be a list of at least one");
    }

    /// <summary>A count that a keyword gives; null if it is not there.</summary>
    /// <exception cref="GrammarException">It is no whole number from 0.</exception>
    public int? Count(string keyword) =>
        Child(keyword) is not { } child ? null
        : child.Value.ValueKind == JsonValueKind.Number && child.Value.TryGetDouble(out var count) && double.IsInteger(count) && count >= 0
            ? (int)Math.Min(int.MaxValue, count)
        : throw child.Mistake("must be a whole number from 0");

    /// <summary>A number that a keyword gives; null if it is not there.</summary>
    /// <exception cref="GrammarException">It is no number, or one that is too large or too near to 0.</exception>
    public decimal? Number(string keyword) =>
        Child(keyword) is not { } child ? null
        : child.Value.ValueKind != JsonValueKind.Number ? throw child.Mistake("must be a number")
        : !decimal.TryParse(child.Value.GetRawText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? throw child.Mistake("is beyond 7.9e28; give a smaller number")
        : number == 0 && IsOtherThanZero(child.Value.GetRawText()) ? throw child.Mistake("is nearer to 0 than 1e-28; give 0")
        : number;

    /// <summary>Where a keyword stands.</summary>
    public string PointerOf(string keyword) => $"{Pointer}/{Escape(keyword)}";

    /// <summary>Says what is wrong here.</summary>
    public GrammarException Mistake(string what) => new(Pointer, what + ".");

    private static bool IsOtherThanZero(string number) => number.Split('e', 'E')[0].AsSpan().ContainsAnyInRange('1', '9');

    private static string Escape(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
