using System.Text.Json;
using Dsde.Contracts;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>The fields of a JSON object that somebody knows, whatever the case of their letters, and the first that nobody does.</summary>
internal sealed class KnownFields
{
    private readonly Dictionary<string, (JsonElement Value, int Count)> _found = new(StringComparer.OrdinalIgnoreCase);

    private KnownFields() { }

    /// <summary>The first unknown name, as it was sent, with the one it was probably meant to be; null if all are known.</summary>
    public string? Mistake { get; private set; }

    /// <param name="element">An object.</param>
    /// <param name="known">In camel case.</param>
    /// <param name="path">Where the object is in its message, for example <c>messages[3].</c>; empty at the top.</param>
    /// <param name="isHarmless">Whether a field that nobody knows changes nothing at its value; null if none is.</param>
    public static KnownFields Read(
        JsonElement element,
        IReadOnlyCollection<string> known,
        string path = "",
        Func<string, JsonElement, bool>? isHarmless = null
    )
    {
        var fields = new KnownFields();
        foreach (var property in element.EnumerateObject())
        {
            var name = TryGetName(property);
            if (name is not null && known.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                fields._found[name] = (property.Value, fields.CountOf(name) + 1);
            }
            else if (name is null || isHarmless?.Invoke(name, property.Value) != true)
            {
                fields.Mistake ??= UnknownField.Describe(name, known, path);
            }
        }

        return fields;
    }

    /// <summary>The names of a record's properties in messages.</summary>
    public static IReadOnlyCollection<string> NamesOf(Type record) =>
        [.. record.GetProperties().Select(property => JobFieldNames.InMessages(property.Name))];

    /// <summary>How often a field was given.</summary>
    public int CountOf(string name) => _found.TryGetValue(name, out var found) ? found.Count : 0;

    /// <summary>A field's value, of several the last; null if it was not given.</summary>
    public JsonElement? Find(string name) => _found.TryGetValue(name, out var found) ? found.Value : null;

    /// <summary>A field's value as an id; null if it is none.</summary>
    public Guid? FindId(string name)
    {
        try
        {
            return Find(name) is { ValueKind: JsonValueKind.String } value && value.TryGetGuid(out var id) ? id : null;
        }
        catch (InvalidOperationException)
        {
            return null; // no valid Unicode
        }
    }

    /// <summary>A field's value as a text; null if it is none, or no valid Unicode.</summary>
    public string? FindText(string name) => Find(name) is { } value ? TextOf(value) : null;

    /// <summary>The text that a value is; null if it is none, or no valid Unicode.</summary>
    public static string? TextOf(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string? TryGetName(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
