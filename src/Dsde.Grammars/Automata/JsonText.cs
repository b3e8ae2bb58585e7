using System.Text;

namespace Dsde.Grammars.Automata;

/// <summary>
/// Strings of JSON as they are written: each in one way only. Escaped is what has to be, by the short escape where there is one; NUL is
/// left out, because many a reader of JSON can't hold it.
/// </summary>
internal static class JsonText
{
    private const string ShortEscapes = "\b\f\n\r\t\"\\";
    private const string ShortLetters = "bfnrt\"\\";
    private static readonly ScalarSet Plain = ScalarSet.Of((0x20, 0x10FFFF)).Except(ScalarSet.Of(('"', '"'), ('\\', '\\')));

    /// <summary>One character of any, as it stands between quotes.</summary>
    public static Pattern AnyCharacter { get; } = Encode(ScalarSet.All);

    /// <summary>One character of a set, as it stands between quotes.</summary>
    public static Pattern Encode(ScalarSet set)
    {
        var options = new List<Pattern>();
        var plain = set.Complement().Union(Plain.Complement()).Complement();
        if (plain.Ranges.Count > 0)
        {
            options.Add(Utf8.Encode(plain));
        }

        foreach (var (first, last) in set.Except(Plain).Ranges)
        {
            for (var value = Math.Max(first, 1); value <= last; value++)
            {
                options.Add(Pattern.Of(Encoding.ASCII.GetBytes(Escape((char)value))));
            }
        }

        return new Pattern.Choice(options);
    }

    /// <summary>A string with its quotes; what can't be written is not there.</summary>
    /// <exception cref="ArgumentException">The text has a NUL or half a surrogate pair.</exception>
    public static byte[] Quote(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal) || Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) != text)
        {
            throw new ArgumentException("A text has a character that no output can have: NUL, or half a surrogate pair.");
        }

        var written = new StringBuilder("\"");
        foreach (var rune in text.EnumerateRunes())
        {
            written.Append(rune.Value is < 0x20 or '"' or '\\' ? Escape((char)rune.Value) : rune.ToString());
        }

        return Encoding.UTF8.GetBytes(written.Append('"').ToString());
    }

    private static string Escape(char value) =>
        ShortEscapes.IndexOf(value, StringComparison.Ordinal) is >= 0 and var place ? $"\\{ShortLetters[place]}" : $"\\u{(int)value:x4}";
}
