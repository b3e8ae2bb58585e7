using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using Dsde.Templates.Operators;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>Numbers of other values, as Python's <c>int</c> and <c>float</c> read them.</summary>
internal static partial class NumberReading
{
    /// <summary>A float; null where the value is none.</summary>
    public static object? ReadFloat(object? value)
    {
        if (value is not Text text)
        {
            return Numbers.Is(value) ? Numbers.ToDouble(value) : null;
        }

        var written = Strip(text.Value);
        return Float().IsMatch(written)
                ? double.Parse(written.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture)
            : Special().Match(written) is { Success: true } special ? Signed(special)
            : null;
    }

    /// <summary>A whole number, of a broken one without its fraction; null where the value is none.</summary>
    public static object? ReadInt(object? value, int radix)
    {
        if (value is Text text && TryReadInt(Strip(text.Value), radix, out var number))
        {
            return number;
        }

        return value switch
        {
            bool or BigInteger => Numbers.ToIndex(value),
            double given => double.IsFinite(given) ? new BigInteger(given)
            : double.IsNaN(given) ? null
            : throw new TemplateException("cannot convert float infinity to integer"),
            _ => ReadFloat(value) is double real && double.IsFinite(real) ? new BigInteger(real) : null,
        };
    }

    /// <summary>Digits of all scripts count.</summary>
    private static string Strip(string text)
    {
        var written = TextTrimming.Strip(Text.FromData(text), characters: null).Value;
        return Ascii.IsValid(written)
            ? written
            : string.Concat(
                written
                    .EnumerateRunes()
                    .Select(rune =>
                        Characters.IsDecimal(rune) ? Rune.GetNumericValue(rune).ToString(CultureInfo.InvariantCulture) : rune.ToString()
                    )
            );
    }

    private static double Signed(Match special)
    {
        var magnitude = special.Groups["kind"].Value.StartsWith("n", StringComparison.OrdinalIgnoreCase)
            ? double.NaN
            : double.PositiveInfinity;
        return special.Value[0] == '-' ? -magnitude : magnitude;
    }

    private static bool TryReadInt(string text, int radix, out BigInteger number)
    {
        number = BigInteger.Zero;
        var match = Integer().Match(text);
        if (!match.Success || radix is < 0 or 1 or > 36)
        {
            return false;
        }

        var digits = match.Groups["digits"].Value.ToLowerInvariant();
        var prefix =
            digits.Length > 1 && digits[0] == '0'
                ? digits[1] switch
                {
                    'x' => 16,
                    'o' => 8,
                    'b' => 2,
                    _ => 0,
                }
                : 0;
        if (prefix != 0 && (radix == prefix || radix == 0))
        {
            (digits, radix) = (digits[2..].TrimStart('_'), prefix);
        }
        else if (radix == 0)
        {
            radix = digits[0] == '0' && digits.Trim('0', '_').Length > 0 ? -1 : 10;
        }

        if (digits.Length is 0 or > 4300)
        {
            return false;
        }

        foreach (var digit in digits.Replace("_", "", StringComparison.Ordinal))
        {
            var value = char.IsAsciiDigit(digit) ? digit - '0' : digit - 'a' + 10;
            if (value >= radix)
            {
                return false;
            }

            number = (number * radix) + value;
        }

        number = match.Groups["sign"].Value == "-" ? -number : number;
        return true;
    }

    [GeneratedRegex(@"^[-+]?(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)(?:[eE][-+]?[0-9](?:_?[0-9])*)?$")]
    private static partial Regex Float();

    [GeneratedRegex(@"^[-+]?(?<kind>inf|infinity|nan)$", RegexOptions.IgnoreCase)]
    private static partial Regex Special();

    [GeneratedRegex(@"^(?<sign>[-+]?)(?<digits>[0-9a-zA-Z](?:_?[0-9a-zA-Z])*)$")]
    private static partial Regex Integer();
}
