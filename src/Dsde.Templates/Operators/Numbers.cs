using System.Globalization;
using System.Numerics;

namespace Dsde.Templates.Operators;

/// <summary>Whole numbers, floats and truth values as Python's numbers.</summary>
internal static class Numbers
{
    private const int LongestWhole = 4300; // digits, as Python has it

    public static bool Is(object? value) => value is bool or BigInteger or double;

    /// <summary>A whole number or truth value as a number; null for everything else.</summary>
    public static BigInteger? ToIndex(object? value) =>
        value switch
        {
            BigInteger number => number,
            bool truth => truth ? BigInteger.One : BigInteger.Zero,
            _ => null,
        };

    public static double ToDouble(object? value) =>
        value switch
        {
            double number => number,
            BigInteger number => ToDouble(number),
            bool truth => truth ? 1 : 0,
            _ => throw new ArgumentOutOfRangeException(nameof(value)),
        };

    /// <exception cref="TemplateException">It is too large.</exception>
    public static double ToDouble(BigInteger number) =>
        RoundToDouble(number) is var result && double.IsFinite(result)
            ? result
            : throw new TemplateException("int too large to convert to float");

    /// <summary>The sign of the difference of two numbers; null where there is none.</summary>
    public static int? Compare(object? left, object? right)
    {
        if (left is not double && right is not double)
        {
            return ToIndex(left)!.Value.CompareTo(ToIndex(right)!.Value);
        }

        if (left is double a && right is double b)
        {
            return double.IsNaN(a) || double.IsNaN(b) ? null : a.CompareTo(b);
        }

        return left is double first ? Compare(first, ToIndex(right)!.Value) : -Compare((double)right!, ToIndex(left)!.Value);
    }

    /// <exception cref="TemplateException">It has too many digits.</exception>
    public static string Show(BigInteger number)
    {
        if (number.GetBitLength() > LongestWhole * 4)
        {
            throw TooLong();
        }

        const int shift = 16; // a number of the most digits is written in some thousand steps
        Running.Budget.Current.Step((number.GetBitLength() * number.GetBitLength()) >> shift);
        var text = number.ToString(CultureInfo.InvariantCulture);
        return text.TrimStart('-').Length <= LongestWhole ? text : throw TooLong();
    }

    /// <summary>A float as Python shows it: the shortest digits that give it back, always with a point or an exponent.</summary>
    public static string Show(double number)
    {
        if (!double.IsFinite(number))
        {
            return double.IsNaN(number) ? "nan"
                : number > 0 ? "inf"
                : "-inf";
        }

        var (isNegative, digits, exponent) = Digits(number);
        var sign = isNegative ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        return exponent < 0 ? $"{sign}0.{new string('0', -exponent - 1)}{digits}"
            : digits.Length <= exponent + 1 ? $"{sign}{digits.PadRight(exponent + 1, '0')}.0"
            : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    private static (bool IsNegative, string Digits, int Exponent) Digits(double number)
    {
        var text = Math.Abs(number).ToString("R", CultureInfo.InvariantCulture).Split('E');
        var point = text[0].IndexOf('.', StringComparison.Ordinal) is >= 0 and var place ? place : text[0].Length;
        var all = text[0].Replace(".", "", StringComparison.Ordinal);
        var digits = all.TrimStart('0');
        var exponent = point - 1 - (all.Length - digits.Length) + (text.Length > 1 ? int.Parse(text[1], CultureInfo.InvariantCulture) : 0);
        digits = digits.TrimEnd('0');
        return (double.IsNegative(number), digits.Length == 0 ? "0" : digits, digits.Length == 0 ? 0 : exponent);
    }

    private static TemplateException TooLong() => new($"Exceeds the limit ({LongestWhole} digits) for integer string conversion");

    private static int? Compare(double left, BigInteger right)
    {
        if (double.IsNaN(left))
        {
            return null;
        }

        if (double.IsInfinity(left))
        {
            return left > 0 ? 1 : -1;
        }

        var floor = Math.Floor(left);
        var order = new BigInteger(floor).CompareTo(right);
        return order != 0 ? order
            : floor < left ? 1
            : 0;
    }

    /// <summary>.NET cuts digits off where Python rounds to even.</summary>
    private static double RoundToDouble(BigInteger number)
    {
        var magnitude = BigInteger.Abs(number);
        var surplus = (int)Math.Max(0, magnitude.GetBitLength() - 64);
        if (surplus == 0)
        {
            return number.Sign * (double)(ulong)magnitude;
        }

        var top = (ulong)(magnitude >> surplus);
        var isExact = ((BigInteger)top << surplus) == magnitude;
        return number.Sign * Math.ScaleB((double)(isExact ? top : top | 1), surplus);
    }
}
