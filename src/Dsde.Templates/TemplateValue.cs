using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Dsde.Templates.Values;

namespace Dsde.Templates;

/// <summary>A value that a template is given.</summary>
public sealed class TemplateValue
{
    private TemplateValue(object? value) => Value = value;

    /// <summary>None.</summary>
    public static TemplateValue None { get; } = new(null);

    internal object? Value { get; }

    /// <summary>A truth value.</summary>
    public static TemplateValue Of(bool value) => new(value);

    /// <summary>Text that belongs to the template, as the names of its special tokens do.</summary>
    public static TemplateValue FromTemplate(string text) => new(Text.FromTemplate(text));

    /// <summary>A list of texts that belong to the template.</summary>
    public static TemplateValue FromTemplate(IEnumerable<string> texts) =>
        new(new PyList([.. texts.Select(text => (object?)Text.FromTemplate(text))]));

    /// <summary>Text as data: it can't become one of the template's markers.</summary>
    public static TemplateValue FromData(string text) => new(Text.FromData(text));

    /// <summary>A list.</summary>
    public static TemplateValue OfItems(IEnumerable<TemplateValue> items) => new(new PyList([.. items.Select(item => item.Value)]));

    /// <summary>An object whose keys belong to the template.</summary>
    public static TemplateValue OfFields(IEnumerable<(string Key, TemplateValue Value)> fields) => OfFields(fields, Text.FromTemplate);

    /// <summary>An object whose keys are data.</summary>
    public static TemplateValue OfData(IEnumerable<(string Key, TemplateValue Value)> fields) => OfFields(fields, Text.FromData);

    /// <summary>JSON as data: none of its text can become one of the template's markers.</summary>
    public static TemplateValue FromData(JsonElement json) => new(Read(json));

    private static TemplateValue OfFields(IEnumerable<(string Key, TemplateValue Value)> fields, Func<string, Text> keyOf)
    {
        var dict = new PyDict();
        foreach (var (key, value) in fields)
        {
            dict.Set(keyOf(key), value.Value);
        }

        return new TemplateValue(dict);
    }

    private static object? Read(JsonElement json) =>
        json.ValueKind switch
        {
            JsonValueKind.Object => ReadObject(json),
            JsonValueKind.Array => new PyList([.. json.EnumerateArray().Select(Read)]),
            JsonValueKind.String => Text.FromData(json.GetString() ?? ""),
            JsonValueKind.Number => ReadNumber(json.GetRawText()),
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => null,
        };

    private static PyDict ReadObject(JsonElement json)
    {
        var dict = new PyDict();
        foreach (var property in json.EnumerateObject())
        {
            dict.Set(Text.FromData(property.Name), Read(property.Value));
        }

        return dict;
    }

    private static object ReadNumber(string text) =>
        text.AsSpan().ContainsAny('.', 'e', 'E')
            ? double.Parse(text, CultureInfo.InvariantCulture)
            : BigInteger.Parse(text, CultureInfo.InvariantCulture);
}
