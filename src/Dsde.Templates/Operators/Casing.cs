using System.Text;

namespace Dsde.Templates.Operators;

/// <summary>Upper and lower case with the characters that become several.</summary>
internal static class Casing
{
    private static readonly Dictionary<char, string> LongUppers = new()
    {
        ['ß'] = "SS",
        ['ŉ'] = "ʼN",
        ['ǰ'] = "J̌",
        ['ΐ'] = "Ϊ́",
        ['ΰ'] = "Ϋ́",
        ['և'] = "ԵՒ",
        ['ﬀ'] = "FF",
        ['ﬁ'] = "FI",
        ['ﬂ'] = "FL",
        ['ﬃ'] = "FFI",
        ['ﬄ'] = "FFL",
        ['ﬅ'] = "ST",
        ['ﬆ'] = "ST",
    };

    public static string Upper(string text)
    {
        var upper = text.ToUpperInvariant();
        return upper.AsSpan().ContainsAny([.. LongUppers.Keys])
            ? string.Concat(upper.Select(character => LongUppers.GetValueOrDefault(character) ?? character.ToString()))
            : upper;
    }

    public static string Lower(string text)
    {
        var lower = text.ToLowerInvariant();
        if (text.Contains('Σ', StringComparison.Ordinal))
        {
            var letters = lower.ToCharArray();
            for (var i = 0; i < letters.Length; i++)
            {
                letters[i] = text[i] == 'Σ' && IsFinal(text, i) ? 'ς' : letters[i];
            }

            lower = new string(letters);
        }

        return lower.Replace("İ", "i̇", StringComparison.Ordinal);
    }

    /// <summary>The first letter large, the others small.</summary>
    public static string Capitalize(string text)
    {
        if (text.Length == 0)
        {
            return text;
        }

        var size = CodePoints.SizeAt(text, 0);
        return Title(text[..size]) + LowerRest(text, size);
    }

    /// <summary>Each word's first letter large, the others small, where words are runs of letters with case.</summary>
    public static string TitleWords(string text)
    {
        var result = new StringBuilder();
        var isInside = false;
        for (var i = 0; i < text.Length; )
        {
            var size = CodePoints.SizeAt(text, i);
            result.Append(isInside ? LowerRest(text[..(i + size)], i) : Title(text.Substring(i, size)));
            isInside = Rune.TryGetRuneAt(text, i, out var rune) && Characters.IsCased(rune);
            i += size;
        }

        return result.ToString();
    }

    public static string Swap(string text) =>
        string.Concat(
            text.EnumerateRunes()
                .Select(rune =>
                    Characters.IsUpper(rune) ? Lower(rune.ToString())
                    : Characters.IsLower(rune) ? Upper(rune.ToString())
                    : rune.ToString()
                )
        );

    /// <summary>A letter at a word's beginning: ligatures keep only their first part large.</summary>
    private static string Title(string letter) =>
        letter switch
        {
            "ǆ" or "Ǆ" or "ǅ" => "ǅ",
            "ǉ" or "Ǉ" or "ǈ" => "ǈ",
            "ǌ" or "Ǌ" or "ǋ" => "ǋ",
            "ǳ" or "Ǳ" or "ǲ" => "ǲ",
            _ => Upper(letter) is { Length: > 1 } several && letter.Length == 1 ? several[0] + Lower(several[1..]) : Upper(letter),
        };

    private static string LowerRest(string text, int start) => Lower(text)[^Lower(text[start..]).Length..];

    /// <summary>A sigma behind a letter and before none.</summary>
    private static bool IsFinal(string text, int place) =>
        text.AsSpan(0, place).TrimEnd('\'') is [.., var before]
        && char.IsLetter(before)
        && !(text.AsSpan(place + 1).TrimStart('\'') is [var after, ..] && char.IsLetter(after));
}
