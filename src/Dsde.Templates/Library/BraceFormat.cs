using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using Dsde.Templates.Operators;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>The method <c>format</c> of texts.</summary>
internal static partial class BraceFormat
{
    private const int MaxNesting = 2;

    public static Text Apply(Text format, IReadOnlyList<object?> positional, Func<string, object?> find, Budget budget)
    {
        var next = 0;
        return Apply(format, positional, find, budget, MaxNesting, ref next);
    }

    private static Text Apply(
        Text format,
        IReadOnlyList<object?> positional,
        Func<string, object?> find,
        Budget budget,
        int nesting,
        ref int next
    )
    {
        if (nesting == 0)
        {
            throw new TemplateException("Max string recursion exceeded");
        }

        var result = new TextBuilder(budget);
        var text = format.Value;
        for (var i = 0; i < text.Length; )
        {
            var brace = text.AsSpan(i).IndexOfAny('{', '}');
            if (brace < 0)
            {
                result.Append(format.Slice(i, text.Length - i));
                break;
            }

            result.Append(format.Slice(i, brace));
            i += brace;
            if (i + 1 < text.Length && text[i + 1] == text[i])
            {
                result.Append(format.Slice(i, 1));
                i += 2;
                continue;
            }

            if (text[i] == '}')
            {
                throw new TemplateException("Single '}' encountered in format string");
            }

            var end = FindEnd(text, i);
            result.Append(ShowField(format.Slice(i + 1, end - i - 1), positional, find, budget, nesting, ref next));
            i = end + 1;
        }

        return result.ToText().AsMarkup(format.IsMarkup);
    }

    private static int FindEnd(string text, int start)
    {
        var depth = 0;
        for (var i = start; i < text.Length; i++)
        {
            depth += text[i] switch
            {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            if (depth == 0)
            {
                return i;
            }
        }

        throw new TemplateException("expected '}' before end of string");
    }

    private static Text ShowField(
        Text field,
        IReadOnlyList<object?> positional,
        Func<string, object?> find,
        Budget budget,
        int nesting,
        ref int next
    )
    {
        var parts = Field().Match(field.Value);
        if (!parts.Success)
        {
            throw new TemplateException($"'{{{field.Value}}}' is no field of a format");
        }

        var value = FindValue(parts.Groups["name"].Value, positional, find, ref next);
        foreach (Capture step in parts.Groups["step"].Captures)
        {
            value = step.Value[0] == '.' ? Access.Attribute(value, step.Value[1..]) : Access.Item(value, ReadKey(step.Value[1..^1]));
        }

        value = parts.Groups["conversion"].Value switch
        {
            "" => value,
            "s" => Representation.Show(value, budget),
            "r" => Representation.Quote(value, budget),
            "a" => Representation.QuoteInAscii(value, budget),
            var other => throw new TemplateException($"Unknown conversion specifier {other}"),
        };
        var given = parts.Groups["spec"];
        var spec = given.Success
            ? Apply(field.Slice(given.Index, given.Length), positional, find, budget, nesting - 1, ref next).Value
            : "";
        var shown = Show(value, spec, budget);
        return field.IsMarkup && value is not Text { IsMarkup: true } ? Html.Escape(shown, budget) : shown;
    }

    private static object ReadKey(string text) =>
        text.Length > 0 && text.All(char.IsAsciiDigit) ? BigInteger.Parse(text, CultureInfo.InvariantCulture) : Text.FromTemplate(text);

    private static object? FindValue(string name, IReadOnlyList<object?> positional, Func<string, object?> find, ref int next)
    {
        if (name.Length > 0 && !name.All(char.IsAsciiDigit))
        {
            return find(name);
        }

        if (name.Length == 0 ? next < 0 : next > 0)
        {
            throw new TemplateException("cannot switch between manual and automatic field numbering");
        }

        var index =
            name.Length == 0 ? next++
            : int.TryParse(name, out var number) ? number
            : int.MaxValue;
        next = name.Length == 0 ? next : -1;
        return index < positional.Count
            ? positional[index]
            : throw new TemplateException($"Replacement index {index} out of range for positional args tuple");
    }

    private static Text Show(object? value, string spec, Budget budget)
    {
        if (spec.Length == 0)
        {
            return Representation.Show(value, budget);
        }

        var parts = Specification().Match(spec);
        if (!parts.Success || value is not (Text or bool or BigInteger or double))
        {
            throw new TemplateException($"'{spec}' is no format for {Kind.Of(value)}");
        }

        var form = parts.Groups["form"].Value;
        var precision = Read(parts.Groups["precision"].Value.TrimStart('.'));
        var width = Read(parts.Groups["width"].Value) ?? 0;
        var hasZero = parts.Groups["zero"].Success;
        var align = parts.Groups["align"].Value;
        var fill =
            parts.Groups["fill"] is { Success: true } filler ? filler.Value
            : hasZero ? "0"
            : " ";
        align =
            align.Length > 0 ? align
            : hasZero && value is not Text ? "="
            : value is Text ? "<"
            : ">";
        if (value is Text text)
        {
            return form is "" or "s" && align != "=" && parts.Groups["sign"].Value.Length == 0 && parts.Groups["group"].Value.Length == 0
                ? Pad("", precision is { } most ? CodePoints.Slice(text, 0, most) : text, width, align, fill, budget)
                : throw new TemplateException($"'{spec}' is no format for str");
        }

        var (isNegative, digits) = ShowNumber(value, form, precision, parts.Groups["group"].Value, parts.Groups["alternate"].Success);
        var sign = isNegative ? "-" : parts.Groups["sign"].Value.Replace("-", "", StringComparison.Ordinal);
        return Pad(sign, Text.FromData(digits), width, align, fill, budget);
    }

    private static (bool IsNegative, string Digits) ShowNumber(object value, string form, int? precision, string group, bool isAlternate)
    {
        string digits;
        bool isNegative;
        if (value is not double && form is "" or "d" or "x" or "X" or "o" or "b" or "n" or "c")
        {
            if (value is double || precision is not null || form == "c")
            {
                throw new TemplateException($"'{form}' with a precision is no format for {Kind.Of(value)}");
            }

            var number = Numbers.ToIndex(value)!.Value;
            var (radix, prefix) = form switch
            {
                "x" => (16, "0x"),
                "X" => (16, "0X"),
                "o" => (8, "0o"),
                "b" => (2, "0b"),
                _ => (10, ""),
            };
            digits = NumberFormat.Show(number, radix);
            digits = (isAlternate ? prefix : "") + (form == "X" ? digits.ToUpperInvariant() : digits);
            isNegative = number.Sign < 0;
        }
        else
        {
            var number = Numbers.ToDouble(value);
            isNegative = double.IsNegative(number) && !double.IsNaN(number);
            digits = form switch
            {
                "" when precision is null => Numbers.Show(Math.Abs(number)),
                "f" or "F" or "e" or "E" or "g" or "G" or "%" => NumberFormat.Show(number, form[0], precision ?? 6, isAlternate),
                "" => WithPoint(NumberFormat.Show(number, 'g', precision ?? 6)),
                _ => throw new TemplateException($"Unknown format code '{form}' for object of type '{Kind.Of(value)}'"),
            };
            digits = form is "E" or "F" or "G" ? digits.ToUpperInvariant() : digits;
        }

        return (isNegative, group.Length == 0 ? digits : NumberFormat.Group(digits, group[0]));
    }

    private static string WithPoint(string digits) => digits.AsSpan().ContainsAny(".en") ? digits : digits + ".0";

    private static Text Pad(string sign, Text body, int width, string align, string fill, Budget budget)
    {
        var missing = Math.Max(0, width - sign.Length - CodePoints.Count(body.Value));
        budget.ChargeText(missing, missing);
        var (before, inside, behind) = align switch
        {
            "<" => (0, 0, missing),
            "^" => (missing / 2, 0, missing - (missing / 2)),
            "=" => (0, missing, 0),
            _ => (missing, 0, 0),
        };
        var text = new TextBuilder(budget);
        text.Append(Text.FromData(Repeat(before) + sign + Repeat(inside)));
        text.Append(body);
        text.Append(Text.FromData(Repeat(behind)));
        return text.ToText();

        string Repeat(int count) => string.Concat(Enumerable.Repeat(fill, count));
    }

    private static int? Read(string digits) =>
        digits.Length == 0 ? null
        : int.TryParse(digits, out var count) ? count
        : throw new TemplateException("Too many decimal digits in format string");

    [GeneratedRegex(
        @"^(?<name>[^.\[!:{}]*)(?<step>\.[^.\[!:{}]+|\[[^\]]+\])*(?:!(?<conversion>[^:{}]))?(?::(?<spec>.*))?$",
        RegexOptions.Singleline
    )]
    private static partial Regex Field();

    [GeneratedRegex(
        @"^(?:(?<fill>.)?(?<align>[<>=^]))?(?<sign>[-+ ])?(?<alternate>#)?(?<zero>0)?"
            + @"(?<width>[0-9]*)(?<group>[,_]?)(?<precision>(?:\.[0-9]+)?)(?<form>[a-zA-Z%]?)$",
        RegexOptions.Singleline
    )]
    private static partial Regex Specification();
}
