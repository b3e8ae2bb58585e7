using System.Text.Json;
using Dsde.Contracts;

namespace Dsde.Batches.Files.Reading;

/// <summary>
/// The fields of one JSON object, each to be taken once by name and type. A field that is null counts as absent, as OpenAI clients write
/// it. Fields nobody has taken are unknown.
/// </summary>
internal sealed class JsonFields
{
    private readonly Dictionary<string, JsonElement> _left = new(StringComparer.Ordinal);
    private readonly string _prefix;

    /// <param name="element">The object.</param>
    /// <param name="prefix">Put before field names in messages, for example <c>body.</c>.</param>
    /// <exception cref="LineFormatException">A field is there twice, so that nobody could say which one counts.</exception>
    public JsonFields(JsonElement element, string prefix)
    {
        _prefix = prefix;
        foreach (var property in element.EnumerateObject())
        {
            if (!_left.TryAdd(property.Name, property.Value))
            {
                throw Invalid(property.Name, $"{prefix}{property.Name} is given twice; give it once.");
            }
        }
    }

    public JsonElement? Take(string name) => _left.Remove(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public string? TakeString(string name) =>
        Take(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw Wrong(name, value, "a string");

    public bool? TakeBoolean(string name) =>
        Take(name) is not { } value ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw Wrong(name, value, "true or false");

    public double? TakeNumber(string name) =>
        Take(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number ? value.GetDouble()
        : throw Wrong(name, value, "a number");

    public int? TakeInteger(string name) =>
        TakeLong(name) switch
        {
            null => null,
            >= int.MinValue and <= int.MaxValue and var value => (int)value,
            var value => throw Invalid(name, $"{_prefix}{name} must be between {int.MinValue} and {int.MaxValue}, but is {value}."),
        };

    public long? TakeLong(string name) =>
        Take(name) is not { } value ? null
        : WholeNumbers.TryRead(value, out var number) ? number
        : throw Wrong(name, value, "a whole number");

    /// <summary>A list of objects, which stay as they are when the line is gone.</summary>
    public IReadOnlyList<JsonElement>? TakeObjects(string name) =>
        Take(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(item => item.Clone())]
        : throw Wrong(name, value, "a list of objects");

    public IEnumerable<KeyValuePair<string, JsonElement>> Left => _left;

    public string NameOf(string field) => _prefix + field;

    public LineFormatException Wrong(string name, JsonElement value, string expected) =>
        Invalid(name, $"{_prefix}{name} must be {expected}, but is {Excerpt(value)}.");

    public LineFormatException Invalid(string name, string message) =>
        new(new LineError(LineErrorCodes.InvalidValue, message, _prefix + name));

    /// <summary>The value as it was written, or the beginning of it.</summary>
    public static string Excerpt(JsonElement value)
    {
        const int Longest = 60;
        var raw = value.GetRawText();
        return raw.Length <= Longest ? raw : string.Concat(raw.AsSpan(0, Longest), "…");
    }
}
