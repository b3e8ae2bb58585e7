using System.Globalization;
using System.Text;

namespace Dsde.Templates.Syntax;

/// <summary>What the escapes of a string stand for.</summary>
internal static class StringLiteral
{
    /// <exception cref="TemplateException">An escape is none.</exception>
    public static string Read(string written, int line)
    {
        if (!written.Contains('\\', StringComparison.Ordinal))
        {
            return written;
        }

        var text = new StringBuilder();
        for (var i = 0; i < written.Length; i++)
        {
            if (written[i] != '\\')
            {
                text.Append(written[i]);
                continue;
            }

            var escape = written[++i];
            var simple = "\n\\'\"abfnrtv".IndexOf(escape, StringComparison.Ordinal);
            if (simple == 0)
            {
                continue; // the line goes on
            }

            if (simple > 0)
            {
                text.Append("\n\\'\"\a\b\f\n\r\t\v"[simple]);
            }
            else if (escape is 'x' or 'u' or 'U')
            {
                var length = escape switch
                {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                text.Append(ReadHexadecimal(written, i + 1, length, line));
                i += length;
            }
            else if (escape is >= '0' and <= '7')
            {
                var end = i;
                while (end < written.Length && end < i + 3 && written[end] is >= '0' and <= '7')
                {
                    end++;
                }

                text.Append((char)Convert.ToInt32(written[i..end], 8));
                i = end - 1;
            }
            else if (escape == 'N')
            {
                throw new TemplateException(line, "characters by name (\\N) are not supported");
            }
            else
            {
                text.Append('\\').Append(escape);
            }
        }

        return text.ToString();
    }

    private static string ReadHexadecimal(string written, int start, int length, int line) =>
        start + length <= written.Length
        && int.TryParse(written.AsSpan(start, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
        && code is >= 0 and <= 0x10FFFF
            ? code is >= 0xD800 and <= 0xDFFF
                ? ((char)code).ToString()
                : char.ConvertFromUtf32(code)
            : throw new TemplateException(line, "truncated escape in a string");
}
