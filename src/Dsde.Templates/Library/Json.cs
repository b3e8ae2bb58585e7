using System.Globalization;
using System.Numerics;
using System.Text;
using Dsde.Templates.Operators;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>
/// The filter <c>tojson</c> as transformers sets it: Python's <c>json.dumps</c> without escaping for HTML. What it makes is data, unless
/// all text in it is the template's.
/// </summary>
internal sealed class Json
{
    private readonly StringBuilder _text = new();
    private readonly Budget _budget;
    private readonly bool _isAscii;
    private readonly bool _sortsKeys;
    private readonly string? _indent;
    private readonly (string Item, string Key) _separators;
    private bool _isTemplate = true;

    private Json(Budget budget, bool isAscii, string? indent, (string Item, string Key) separators, bool sortsKeys)
    {
        _budget = budget;
        _isAscii = isAscii;
        _indent = indent;
        _separators = separators;
        _sortsKeys = sortsKeys;
    }

    public static Text Write(Machine machine, Arguments arguments)
    {
        var bound = arguments.Bind("tojson", 1, "x", "ensure_ascii", "indent", "separators", "sort_keys");
        var indent = bound[2] switch
        {
            null => null,
            Text text => text.Value,
            _ => new string(' ', Math.Clamp(bound.Int(2, 0), 0, 1000)),
        };
        var separators = bound[3] switch
        {
            null => (indent is null ? ", " : ",", ": "),
            PyTuple { Items: [Text item, Text key] } => (item.Value, key.Value),
            PyList { Items: [Text item, Text key] } => (item.Value, key.Value),
            _ => throw bound.Wrong(3, "two strings"),
        };
        var json = new Json(machine.Budget, bound.Truth(1), indent, separators, bound.Truth(4));
        json.Write(bound[0], 0);
        var result = json._text.ToString();
        return json._isTemplate ? Text.FromTemplate(result) : Text.FromData(result);
    }

    private void Write(object? value, int depth)
    {
        _budget.Enter();
        _budget.Step();
        switch (value)
        {
            case Text text:
                WriteText(text);
                break;
            case PyList list:
                WriteItems(list.Items, depth);
                break;
            case PyTuple tuple:
                WriteItems(tuple.Items, depth);
                break;
            case PyDict dict:
                WriteEntries(dict, depth);
                break;
            default:
                _text.Append(ShowScalar(value) ?? throw new TemplateException($"Object of type {Kind.Of(value)} is not JSON serializable"));
                break;
        }

        _budget.Leave();
    }

    private static string? ShowScalar(object? value) =>
        value switch
        {
            null => "null",
            bool truth => truth ? "true" : "false",
            BigInteger number => Numbers.Show(number),
            double.NaN => "NaN",
            double.PositiveInfinity => "Infinity",
            double.NegativeInfinity => "-Infinity",
            double number => Numbers.Show(number),
            _ => null,
        };

    private void WriteItems(IReadOnlyList<object?> items, int depth)
    {
        if (items.Count == 0)
        {
            _text.Append("[]");
            return;
        }

        _text.Append('[');
        for (var i = 0; i < items.Count; i++)
        {
            _text.Append(i == 0 ? "" : _separators.Item);
            Break(depth + 1);
            Write(items[i], depth + 1);
        }

        Break(depth);
        _text.Append(']');
    }

    private void WriteEntries(PyDict dict, int depth)
    {
        if (dict.Count == 0)
        {
            _text.Append("{}");
            return;
        }

        _text.Append('{');
        var separator = "";
        foreach (var (key, value) in _sortsKeys ? Sort(dict) : dict.Entries)
        {
            _text.Append(separator);
            Break(depth + 1);
            WriteText(
                key as Text
                    ?? Text.FromTemplate(
                        ShowScalar(key) ?? throw new TemplateException($"keys must be str, int, float, bool or None, not {Kind.Of(key)}")
                    )
            );
            _text.Append(_separators.Key);
            Write(value, depth + 1);
            separator = _separators.Item;
        }

        Break(depth);
        _text.Append('}');
    }

    private static IEnumerable<KeyValuePair<object?, object?>> Sort(PyDict dict) =>
        Ordering.Sort(dict.Entries, entry => entry.Key, isReverse: false);

    private void Break(int depth)
    {
        if (_indent is null)
        {
            return;
        }

        _text.Append('\n');
        for (var i = 0; i < depth; i++)
        {
            _text.Append(_indent);
        }

        _budget.ChargeText(_text.Length, _indent.Length * depth);
    }

    private void WriteText(Text text)
    {
        _budget.ChargeText((long)_text.Length + text.Length, text.Length);
        _isTemplate &= text.Length == 0 || (text.Origin.IsUniform && text.Origin.BeginsAsTemplate);
        _text.Append('"');
        foreach (var character in text.Value)
        {
            switch (character)
            {
                case '"' or '\\':
                    _text.Append('\\').Append(character);
                    break;
                case '\n':
                    _text.Append("\\n");
                    break;
                case '\r':
                    _text.Append("\\r");
                    break;
                case '\t':
                    _text.Append("\\t");
                    break;
                case '\b':
                    _text.Append("\\b");
                    break;
                case '\f':
                    _text.Append("\\f");
                    break;
                default:
                    if (character < ' ' || (_isAscii && character > '~'))
                    {
                        _text.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
                    }
                    else
                    {
                        _text.Append(character);
                    }

                    break;
            }
        }

        _text.Append('"');
    }
}
