using System.Numerics;
using Dsde.Templates.Operators;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>The filter <c>round</c>: half to even on the exact value, as Python rounds.</summary>
internal static class Rounding
{
    private const int MostDigits = 300;
    private const int MostPlaces = 5300; // in front of the point; a larger number is not written

    public static object Round(Arguments given)
    {
        var bound = given.Bind("round", 1, "value", "precision", "method");
        var method = bound.Has(2) ? bound.Text(2).Value : "common";
        var precision = Math.Max(bound.Int(1, 0), -MostPlaces);
        if (method is not ("common" or "ceil" or "floor"))
        {
            throw new TemplateException("method must be common, ceil or floor");
        }

        if (!Numbers.Is(bound[0]))
        {
            throw bound.Wrong(0, "a number");
        }

        if (method == "common")
        {
            return bound[0] is double number ? Round(number, precision) : Round(Numbers.ToIndex(bound[0])!.Value, precision);
        }

        var scale = precision >= 0 ? (object)BigInteger.Pow(10, Math.Min(precision, MostDigits)) : Math.Pow(10, precision);
        var budget = Budget.Current;
        var scaled = Arithmetic.Apply("*", bound[0], scale, budget);
        var whole = scaled is double real
            ? double.IsFinite(real)
                ? new BigInteger(method == "ceil" ? Math.Ceiling(real) : Math.Floor(real))
                : throw new TemplateException("cannot convert float to integer")
            : Numbers.ToIndex(scaled)!.Value;
        return Arithmetic.Apply("/", whole, scale, budget)!;
    }

    private static object Round(double number, int precision)
    {
        if (!double.IsFinite(number) || precision > MostDigits)
        {
            return number;
        }

        // Exact: a float is a whole number over a power of two.
        var bits = BitConverter.DoubleToInt64Bits(number);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var mantissa = new BigInteger((bits & 0xFFFFFFFFFFFFF) | (exponent == 0 ? 0 : 1L << 52));
        exponent = Math.Max(exponent, 1) - 1075;
        var (top, bottom) = exponent >= 0 ? (mantissa << exponent, BigInteger.One) : (mantissa, BigInteger.One << -exponent);
        (top, bottom) =
            precision >= 0
                ? (top * BigInteger.Pow(10, precision), bottom)
                : (top, bottom * BigInteger.Pow(10, Math.Min(-precision, MostDigits + 100)));
        var rounded = RoundHalfEven(top, bottom);
        var result =
            precision >= 0
                ? double.Parse($"{rounded}E-{precision}", System.Globalization.CultureInfo.InvariantCulture)
                : double.Parse($"{rounded}E{-precision}", System.Globalization.CultureInfo.InvariantCulture);
        return double.IsNegative(number) ? -result : result;
    }

    private static object Round(BigInteger number, int precision)
    {
        if (precision >= 0)
        {
            return number;
        }

        var unit = BigInteger.Pow(10, -precision);
        var rounded = RoundHalfEven(BigInteger.Abs(number), unit) * unit;
        return number.Sign < 0 ? -rounded : rounded;
    }

    private static BigInteger RoundHalfEven(BigInteger top, BigInteger bottom)
    {
        var quotient = BigInteger.DivRem(top, bottom, out var rest);
        var order = (rest * 2).CompareTo(bottom);
        return order > 0 || (order == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }
}
