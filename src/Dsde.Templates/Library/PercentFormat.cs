using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using Dsde.Templates.Operators;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>The operator <c>%</c> on texts.</summary>
internal static partial class PercentFormat
{
    public static Text Apply(Text format, object? values, Budget budget)
    {
        var items = values is PyTuple tuple ? tuple.Items : [values];
        var result = new TextBuilder(budget);
        var (end, used) = (0, 0);
        foreach (Match match in Specification().Matches(format.Value))
        {
            result.Append(format.Slice(end, match.Index - end));
            end = match.Index + match.Length;
            var form = match.Groups["form"].Value;
            if (form == "%")
            {
                result.Append(format.Slice(end - 1, 1));
                continue;
            }

            // Widths that are values themselves stand before what they are for.
            var width = ReadCount(match.Groups["width"].Value, Next) ?? 0;
            var precision = ReadCount(match.Groups["precision"].Value, Next) is { } most ? Math.Max(0, most) : (int?)null;
            var value = match.Groups["key"] is { Success: true } key ? Find(values, key.Value) : Next();
            result.Append(Show(match, form.Length == 0 ? '\0' : form[0], value, width, precision, format.IsMarkup, budget));
        }

        result.Append(format.Slice(end, format.Length - end));
        return used < items.Count && values is not (PyDict or PyList or PyRange or Undefined) || (values is PyTuple && used < items.Count)
            ? throw new TemplateException("not all arguments converted during string formatting")
            : result.ToText().AsMarkup(format.IsMarkup);

        object? Next() => used < items.Count ? items[used++] : throw new TemplateException("not enough arguments for format string");
    }

    private static object? Find(object? values, string key) =>
        values is PyDict dict
            ? dict.TryGet(key, out var value)
                ? value
                : throw new TemplateException($"format has the key '{key}', which the values don't")
            : throw new TemplateException("format requires a mapping");

    private static Text Show(Match match, char form, object? value, int width, int? precision, bool isMarkup, Budget budget)
    {
        var flags = match.Groups["flags"].Value;
        var isLeft = flags.Contains('-', StringComparison.Ordinal) || width < 0;
        var isPadded = false;
        Text body;
        var sign = "";
        switch (form)
        {
            case 's':
            case 'r':
            case 'a':
                body =
                    form == 's' ? Representation.Show(value, budget)
                    : form == 'r' ? Representation.Quote(value, budget)
                    : Representation.QuoteInAscii(value, budget);
                body = isMarkup && !body.IsMarkup ? Html.Escape(body, budget) : body;
                body = precision is { } most ? CodePoints.Slice(body, 0, most) : body;
                break;
            case 'c':
                body =
                    value is Text { Length: 1 } letter ? letter
                    : Numbers.ToIndex(value) is { } code && code >= 0 && code <= 0x10FFFF && Rune.IsValid((int)code)
                        ? Text.FromData(char.ConvertFromUtf32((int)code))
                    : throw new TemplateException("%c requires int or char");
                break;
            default:
                var (isNegative, digits) = ShowNumber(form, value, precision, flags);
                sign =
                    isNegative ? "-"
                    : flags.Contains('+', StringComparison.Ordinal) ? "+"
                    : flags.Contains(' ', StringComparison.Ordinal) ? " "
                    : "";
                body = Text.FromData(digits);
                isPadded = flags.Contains('0', StringComparison.Ordinal) && !isLeft;
                break;
        }

        var missing = Math.Max(0, Math.Abs(width) - sign.Length - CodePoints.Count(body.Value));
        budget.ChargeText(missing, missing);
        var text = new TextBuilder(budget);
        text.Append(Text.FromData(isLeft || isPadded ? "" : new string(' ', missing)));
        text.Append(Text.FromData(sign + (isPadded ? new string('0', missing) : "")));
        text.Append(body);
        text.Append(Text.FromData(isLeft ? new string(' ', missing) : ""));
        return text.ToText();
    }

    private static (bool IsNegative, string Digits) ShowNumber(char form, object? value, int? precision, string flags)
    {
        if (value is Undefined undefined)
        {
            throw undefined.Refuse();
        }

        if (form is 'd' or 'i' or 'u' or 'x' or 'X' or 'o')
        {
            var number =
                form is 'd' or 'i' or 'u' && value is double given
                    ? double.IsFinite(given)
                        ? new BigInteger(given)
                        : throw new TemplateException("cannot convert float to integer")
                    : Numbers.ToIndex(value) ?? throw new TemplateException($"%{form} format: a number is required, not {Kind.Of(value)}");
            var digits = NumberFormat
                .Show(
                    number,
                    form is 'x' or 'X' ? 16
                        : form == 'o' ? 8
                        : 10
                )
                .PadLeft(Math.Min(precision ?? 0, 1000), '0');
            var prefix =
                flags.Contains('#', StringComparison.Ordinal) && form is 'x' or 'X' ? "0x"
                : flags.Contains('#', StringComparison.Ordinal) && form is 'o' ? "0o"
                : "";
            return (number.Sign < 0, form == 'X' ? (prefix + digits).ToUpperInvariant() : prefix + digits);
        }

        if (form is not ('f' or 'F' or 'e' or 'E' or 'g' or 'G'))
        {
            throw new TemplateException(form == '\0' ? "incomplete format" : $"unsupported format character '{form}'");
        }

        if (!Numbers.Is(value))
        {
            throw new TemplateException($"must be real number, not {Kind.Of(value)}");
        }

        var real = Numbers.ToDouble(value);
        var shown = NumberFormat.Show(real, form, precision ?? 6);
        return (double.IsNegative(real) && !double.IsNaN(real), char.IsUpper(form) ? shown.ToUpperInvariant() : shown);
    }

    private static int? ReadCount(string text, Func<object?> next)
    {
        if (text.Length == 0)
        {
            return null;
        }

        var digits = text.TrimStart('.');
        return digits == "*" ? ToCount(Numbers.ToIndex(next()) ?? throw new TemplateException("* wants int"))
            : digits.Length == 0 ? 0
            : int.TryParse(digits, out var count) ? count
            : throw new TemplateException($"a format has the width or precision {digits}, which is too much");
    }

    private static int ToCount(BigInteger count) =>
        BigInteger.Abs(count) <= int.MaxValue
            ? (int)count
            : throw new TemplateException($"a format has the width or precision {count}, which is too much");

    [GeneratedRegex(
        @"%(?:\((?<key>[^)]*)\))?(?<flags>[-+ #0]*)(?<width>\*|[0-9]*)(?<precision>(?:\.(?:\*|[0-9]*))?)[hlL]?(?<form>.?)",
        RegexOptions.Singleline
    )]
    private static partial Regex Specification();
}
