using System.Globalization;
using System.Text;

namespace Dsde.Engine.Tokenization;

/// <summary>What .NET's regular expressions do differently from those that tokenizers are written for.</summary>
internal static class RegexText
{
    private const char Replacement = '\uFFFD';

    private static readonly char[] Representatives = FindRepresentatives();

    /// <summary>
    /// A text for regular expressions to look at: .NET's see the halves of a surrogate pair, which are neither letters nor digits. Every
    /// pair is replaced by one character of its category.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="starts">Where each character of the result begins in the text, and the text's end; null if nothing had to be
    /// replaced.</param>
    public static string WithoutPairs(string text, out int[]? starts)
    {
        if (!text.Any(char.IsSurrogate))
        {
            starts = null;
            return text;
        }

        var shown = new StringBuilder(text.Length);
        var positions = new List<int>(text.Length + 1);
        for (var i = 0; i < text.Length; i++)
        {
            positions.Add(i);
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                shown.Append(Representatives[(int)CharUnicodeInfo.GetUnicodeCategory(text, i)]);
                i++;
            }
            else
            {
                shown.Append(char.IsSurrogate(text[i]) ? Replacement : text[i]);
            }
        }

        positions.Add(text.Length);
        starts = [.. positions];
        return shown.ToString();
    }

    /// <summary>One character of the basic plane for each category, none of those that patterns name.</summary>
    private static char[] FindRepresentatives()
    {
        var representatives = Enumerable.Repeat(Replacement, Enum.GetValues<UnicodeCategory>().Length).ToArray();
        for (var character = '\uFFFF'; character >= '\u0100'; character--)
        {
            if (!char.IsSurrogate(character))
            {
                representatives[(int)char.GetUnicodeCategory(character)] = character;
            }
        }

        return representatives;
    }
}
