using System.Text.Json;
using Dsde.Contracts;

namespace Dsde.Batches.Files.Reading;

/// <summary>
/// The fields of one JSON object, each to be taken once by name and type. A field that is null counts as absent, as OpenAI clients write
/// it. Fields nobody has taken are unknown.
/// </summary>
internal sealed class JsonFields
{
    private const string Body = "body.";

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
                throw Invalid(property.Name, $"{NameOf(property.Name)} is given twice; give it once.");
            }
        }
    }

    public JsonElement? Take(string name) => _left.Remove(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>The value of a field that has to be of a form; null if it is absent.</summary>
    public JsonElement? Take(string name, FieldForm form) =>
        Take(name) is not { } value ? null
        : form.FindMistake(NameOf(name), value) is { } mistake ? throw Invalid(name, mistake)
        : value;

    public string? TakeString(string name) => Take(name, FieldForm.Text)?.GetString();

    public bool? TakeBoolean(string name) => Take(name, FieldForm.Flag)?.GetBoolean();

    public double? TakeNumber(string name) => Take(name, FieldForm.Number)?.GetDouble();

    /// <summary>A whole number of 32 bits; null if it is absent.</summary>
    /// <param name="name">The field.</param>
    /// <param name="property">What it is of a job: the name in <see cref="SubmitGenerationJob"/>.</param>
    public int? TakeInteger(string name, string property) => (int?)ToWhole(Take(name, FieldForm.Of(property, typeof(int))));

    public long? TakeLong(string name) => ToWhole(Take(name, FieldForm.Long));

    /// <summary>A list of objects, which stay as they are when the line is gone.</summary>
    public IReadOnlyList<JsonElement>? TakeObjects(string name) =>
        Take(name, FieldForm.Objects) is { } value ? [.. value.EnumerateArray().Select(item => item.Clone())] : null;

    /// <summary>A value of any kind, which stays as it is when the line is gone.</summary>
    public JsonElement? TakeValue(string name) => Take(name, FieldForm.Value)?.Clone();

    /// <summary>Values by name, which stay as they are when the line is gone.</summary>
    public Dictionary<string, JsonElement>? TakeValues(string name) =>
        Take(name, FieldForm.Values)
            ?.EnumerateObject()
            .ToDictionary(entry => entry.Name, entry => entry.Value.Clone(), StringComparer.Ordinal);

    public IEnumerable<KeyValuePair<string, JsonElement>> Left => _left;

    /// <summary>A field as messages call it: fields of the body by their own names, as in jobs that come through a queue.</summary>
    public string NameOf(string field) =>
        FieldOf(field) is var name && name.StartsWith(Body, StringComparison.Ordinal) ? name[Body.Length..] : name;

    /// <summary>A field and where it stands, for programs.</summary>
    public string FieldOf(string field) => _prefix + field;

    public LineFormatException Wrong(string name, JsonElement value, string expected) =>
        Invalid(name, FieldForm.Wrong(NameOf(name), expected, value, showsText: false));

    public LineFormatException Invalid(string name, string message) =>
        new(new LineError(LineErrorCodes.InvalidValue, message, FieldOf(name)));

    public LineFormatException Missing(string name, string remedy) =>
        new(new LineError(LineErrorCodes.MissingField, $"{NameOf(name)} is missing; {remedy}.", FieldOf(name)));

    private static long? ToWhole(JsonElement? value) => value is { } given && WholeNumbers.TryRead(given, out var number) ? number : null;
}
