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

            var isUnpadded = format[i + 1] is '-' && i + 2 < format.Length;
            i += isUnpadded ? 2 : 1;
            var part = Show(format[i], time) ?? $"%{(isUnpadded ? "-" : "")}{format[i]}";
            text.Append(
                isUnpadded && char.IsAsciiDigit(part[0])
                    ? part.TrimStart('0') is { Length: > 0 } rest
                        ? rest
                        : "0"
                    : part
            );
        }

        return text.ToString();
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
