using System.Globalization;
using System.Numerics;
using System.Text;
using Dsde.Templates.Operators;

namespace Dsde.Templates.Library;

/// <summary>Digits of numbers for both kinds of formats.</summary>
internal static class NumberFormat
{
    private const int MaxPrecision = 1000;

    /// <summary>A float without its sign, in one of the forms e, f, g and %.</summary>
    public static string Show(double number, char form, int precision, bool keepsZeros = false)
    {
        if (precision > MaxPrecision)
        {
            throw new TemplateException($"a precision of {precision} is more than {MaxPrecision}");
        }

        var magnitude = Math.Abs(number);
        if (!double.IsFinite(number))
        {
            return (double.IsNaN(number) ? "nan" : "inf") + (form == '%' ? "%" : "");
        }

        return char.ToLowerInvariant(form) switch
        {
            'f' => Fixed(magnitude, precision),
            'e' => Exponential(magnitude, precision),
            '%' => Fixed(magnitude * 100, precision) + "%",
            _ => General(magnitude, Math.Max(precision, 1), keepsZeros),
        };
    }

    /// <summary>A whole number in a base, without its sign.</summary>
    public static string Show(BigInteger number, int radix)
    {
        if (radix == 10)
        {
            return Numbers.Show(BigInteger.Abs(number));
        }

        var text = new StringBuilder();
        for (var rest = BigInteger.Abs(number); !rest.IsZero || text.Length == 0; rest /= radix)
        {
            text.Insert(0, "0123456789abcdef"[(int)(rest % radix)]);
        }

        return text.ToString();
    }

    /// <summary>Separators between groups of three digits.</summary>
    public static string Group(string digits, char separator)
    {
        var end = digits.IndexOfAny(['.', 'e', '%']);
        var whole = end < 0 ? digits : digits[..end];
        var text = new StringBuilder(whole);
        for (var i = whole.Length - 3; i > 0; i -= 3)
        {
            text.Insert(i, separator);
        }

        return text + (end < 0 ? "" : digits[end..]);
    }

    private static string Fixed(double number, int precision) => number.ToString($"F{precision}", CultureInfo.InvariantCulture);

    private static string Exponential(double number, int precision)
    {
        var text = number.ToString($"E{precision}", CultureInfo.InvariantCulture);
        var place = text.IndexOf('E', StringComparison.Ordinal);
        var exponent = int.Parse(text[(place + 1)..], CultureInfo.InvariantCulture);
        return $"{text[..place]}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    private static string General(double number, int precision, bool keepsZeros)
    {
        var shown = Exponential(number, precision - 1);
        var place = shown.IndexOf('e', StringComparison.Ordinal);
        var exponent = int.Parse(shown[(place + 1)..], CultureInfo.InvariantCulture);
        return exponent >= -4 && exponent < precision
            ? Trim(Fixed(number, precision - 1 - exponent))
            : Trim(shown[..place]) + shown[place..];

        string Trim(string digits) =>
            keepsZeros || !digits.Contains('.', StringComparison.Ordinal) ? digits : digits.TrimEnd('0').TrimEnd('.');
    }
}
