using System.Globalization;
using System.Text;

namespace Dsde.Templates.Library;

/// <summary><c>strftime</c> in the C locale.</summary>
internal static class Dates
{
    private static readonly CultureInfo C = CultureInfo.InvariantCulture;

    public static string Format(string format, DateTimeOffset time)
    {
        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }

            var start = ++i;
            while (i + 1 < format.Length && format[i] is '-' or '_' or '0' or '^')
            {
                i++;
            }

            var flags = format.AsSpan(start, i - start);
            text.Append(Show(format[i], time) is { } part ? Pad(part, flags) : $"%{flags}{format[i]}");
        }

        return text.ToString();
    }

    /// <summary>Flags between the sign and the letter, as the C library has them: of those on padding the last counts.</summary>
    private static string Pad(string part, ReadOnlySpan<char> flags)
    {
        part = flags.Contains('^') ? part.ToUpperInvariant() : part;
        var padding = flags.LastIndexOfAny("-_0");
        if (padding < 0 || part.TrimStart(' ') is not [>= '0' and <= '9', ..] || !part.TrimStart(' ').All(char.IsAsciiDigit))
        {
            return part;
        }

        var digits = part.TrimStart(' ').TrimStart('0') is { Length: > 0 } rest ? rest : "0";
        return flags[padding] switch
        {
            '-' => digits,
            '_' => digits.PadLeft(part.Length, ' '),
            _ => digits.PadLeft(part.Length, '0'),
        };
    }

    private static string? Show(char directive, DateTimeOffset time) =>
        directive switch
        {
            'a' => time.ToString("ddd", C),
            'A' => time.ToString("dddd", C),
            'b' or 'h' => time.ToString("MMM", C),
            'B' => time.ToString("MMMM", C),
            'c' => $"{time.ToString("ddd MMM", C)} {time.Day, 2} {time.ToString("HH:mm:ss yyyy", C)}",
            'C' => (time.Year / 100).ToString("00", C),
            'd' => time.ToString("dd", C),
            'D' or 'x' => time.ToString("MM/dd/yy", C),
            'e' => time.Day.ToString(C).PadLeft(2),
            'f' => time.ToString("ffffff", C),
            'F' => time.ToString("yyyy-MM-dd", C),
            'g' => (ISOWeek.GetYear(time.DateTime) % 100).ToString("00", C),
            'G' => ISOWeek.GetYear(time.DateTime).ToString(C),
            'H' => time.ToString("HH", C),
            'I' => time.ToString("hh", C),
            'j' => time.DayOfYear.ToString("000", C),
            'k' => time.Hour.ToString(C).PadLeft(2),
            'l' => ((time.Hour + 11) % 12 + 1).ToString(C).PadLeft(2),
            'm' => time.ToString("MM", C),
            'M' => time.ToString("mm", C),
            'n' => "\n",
            'p' => time.Hour < 12 ? "AM" : "PM",
            'P' => time.Hour < 12 ? "am" : "pm",
            'r' => time.ToString("hh:mm:ss ", C) + Show('p', time),
            'R' => time.ToString("HH:mm", C),
            's' => time.ToUnixTimeSeconds().ToString(C),
            'S' => time.ToString("ss", C),
            't' => "\t",
            'T' or 'X' => time.ToString("HH:mm:ss", C),
            'u' => ((int)(time.DayOfWeek + 6) % 7 + 1).ToString(C),
            'U' => ((time.DayOfYear + 6 - (int)time.DayOfWeek) / 7).ToString("00", C),
            'V' => ISOWeek.GetWeekOfYear(time.DateTime).ToString("00", C),
            'w' => ((int)time.DayOfWeek).ToString(C),
            'W' => ((time.DayOfYear + 6 - ((int)time.DayOfWeek + 6) % 7) / 7).ToString("00", C),
            'y' => time.ToString("yy", C),
            'Y' => time.Year.ToString(C),
            'z' or 'Z' => "", // the reference's time knows no zone
            '%' => "%",
            _ => null,
        };
}
