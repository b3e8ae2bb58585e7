using System.Globalization;
using System.Numerics;
using System.Text;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Operators;

/// <summary>Values as text: Python's <c>str</c> and <c>repr</c>.</summary>
internal static class Representation
{
    private const int MaxShort = 40;

    /// <summary>Python's <c>str</c>. Text keeps its origins.</summary>
    public static Text Show(object? value, Budget budget) =>
        value switch
        {
            Text text => text,
            Undefined => Text.Empty,
            null => Text.FromData("None"),
            bool truth => Text.FromData(truth ? "True" : "False"),
            BigInteger number => Text.FromData(Numbers.Show(number)),
            double number => Text.FromData(Numbers.Show(number)),
            _ => Quote(value, budget),
        };

    /// <summary>Python's <c>repr</c>: data, unless all text in it is the template's.</summary>
    public static Text Quote(object? value, Budget budget)
    {
        var text = new StringBuilder();
        var isTemplate = true;
        Write(value, text, budget, ref isTemplate);
        return isTemplate ? Text.FromTemplate(text.ToString()) : Text.FromData(text.ToString());
    }

    /// <summary>Python's <c>ascii</c>: the same with escapes for everything else.</summary>
    public static Text QuoteInAscii(object? value, Budget budget)
    {
        var quoted = Quote(value, budget);
        var text = new StringBuilder();
        foreach (var rune in quoted.Value.EnumerateRunes())
        {
            _ = rune.IsAscii ? text.Append(rune) : WriteEscape(rune.Value, text);
        }

        return quoted.Respell(text.ToString());
    }

    /// <summary>The beginning of a value's <c>repr</c>, for messages.</summary>
    public static string Short(object? value)
    {
        var text = Quote(value, Budget.Current).Value;
        return text.Length <= MaxShort ? text : text[..MaxShort] + "…";
    }

    private static void Write(object? value, StringBuilder text, Budget budget, ref bool isTemplate)
    {
        budget.Enter();
        budget.Step();
        budget.ChargeText(text.Length, 0);
        switch (value)
        {
            case Text part:
                isTemplate &= part.Length == 0 || (part.Origin.IsUniform && part.Origin.BeginsAsTemplate);
                budget.ChargeText((long)text.Length + part.Length, part.Length);
                WriteQuoted(part.Value, text);
                break;
            case PyList list:
                WriteItems("[", list.Items, "]", text, budget, ref isTemplate);
                break;
            case PyTuple { Names.Count: > 0 } tuple:
                WriteItems("(", tuple.Items, ")", text, budget, ref isTemplate);
                break;
            case PyTuple tuple:
                WriteItems("(", tuple.Items, tuple.Items.Count == 1 ? ",)" : ")", text, budget, ref isTemplate);
                break;
            case DictView view:
                WriteItems(view.Name + "([", view.Items, "])", text, budget, ref isTemplate);
                break;
            case PyDict dict:
                WriteEntries(dict, text, budget, ref isTemplate);
                break;
            case PyRange range:
                text.Append(CultureInfo.InvariantCulture, $"range({range.Start}, {range.Stop}");
                text.Append(range.Step.IsOne ? ")" : string.Create(CultureInfo.InvariantCulture, $", {range.Step})"));
                break;
            case Macro macro:
                text.Append("<Macro ");
                text.Append(macro.IsCaller ? "anonymous" : Quote(Text.FromTemplate(macro.Name), budget).Value).Append('>');
                break;
            case LoopState loop:
                text.Append(CultureInfo.InvariantCulture, $"<LoopContext {loop.Index}/{loop.Length}>");
                break;
            case Namespace names:
                text.Append("<Namespace ");
                Write(Machine.DictOf(names.Attributes), text, budget, ref isTemplate);
                text.Append('>');
                break;
            case Undefined:
                text.Append("Undefined");
                break;
            case null or bool or BigInteger or double:
                text.Append(Show(value, budget).Value);
                break;
            default:
                text.Append(CultureInfo.InvariantCulture, $"<{Kind.Of(value)}>");
                break;
        }

        budget.Leave();
    }

    private static void WriteItems(
        string start,
        IReadOnlyList<object?> items,
        string end,
        StringBuilder text,
        Budget budget,
        ref bool isTemplate
    )
    {
        text.Append(start);
        for (var i = 0; i < items.Count; i++)
        {
            text.Append(i == 0 ? "" : ", ");
            Write(items[i], text, budget, ref isTemplate);
        }

        text.Append(end);
    }

    private static void WriteEntries(PyDict dict, StringBuilder text, Budget budget, ref bool isTemplate)
    {
        text.Append('{');
        var separator = "";
        foreach (var (key, value) in dict.Entries)
        {
            text.Append(separator);
            Write(key, text, budget, ref isTemplate);
            text.Append(": ");
            Write(value, text, budget, ref isTemplate);
            separator = ", ";
        }

        text.Append('}');
    }

    private static void WriteQuoted(string value, StringBuilder text)
    {
        var quote = value.Contains('\'', StringComparison.Ordinal) && !value.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        text.Append(quote);
        foreach (var rune in value.EnumerateRunes())
        {
            WriteRune(rune, quote, text);
        }

        text.Append(quote);
    }

    private static void WriteRune(Rune rune, char quote, StringBuilder text)
    {
        var code = rune.Value;
        if (code == quote || code == '\\')
        {
            text.Append('\\').Append((char)code);
        }
        else if (code is '\n' or '\r' or '\t')
        {
            text.Append(
                code == '\n' ? "\\n"
                : code == '\r' ? "\\r"
                : "\\t"
            );
        }
        else if (Characters.IsPrintable(rune))
        {
            text.Append(rune);
        }
        else
        {
            WriteEscape(code, text);
        }
    }

    private static StringBuilder WriteEscape(int code, StringBuilder text)
    {
        var (letter, width) =
            code <= 0xFF ? ('x', 2)
            : code <= 0xFFFF ? ('u', 4)
            : ('U', 8);
        return text.Append('\\').Append(letter).Append(code.ToString("x", CultureInfo.InvariantCulture).PadLeft(width, '0'));
    }
}
