using System.Text;

namespace Dsde.Templates.Operators;

/// <summary>Upper and lower case with the characters that become several.</summary>
internal static class Casing
{
    public static string Upper(string text) =>
        LongUppers.AreIn(text) ? string.Concat(text.EnumerateRunes().Select(Upper)) : text.ToUpperInvariant();

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
            result.Append(isInside ? LowerAt(text, i, size) : Title(text.Substring(i, size)));
            isInside = Rune.TryGetRuneAt(text, i, out var rune) && Characters.IsCased(rune);
            i += size;
        }

        return result.ToString();
    }

    /// <summary>What words have in common whatever the case of their letters.</summary>
    public static string Fold(string text) =>
        string.Concat(
            text.EnumerateRunes()
                .Select(rune =>
                    rune.Value switch
                    {
                        'ı' => "ı",
                        'ẞ' => "ss",
                        >= 0x13A0 and <= 0x13FD or >= 0xAB70 and <= 0xABBF => Upper(rune), // Cherokee was written in capitals first
                        _ => Lower(Upper(rune)),
                    }
                )
        );

    /// <summary>Whether large letters begin words, and small ones only go on with them.</summary>
    public static bool IsTitleWords(string text)
    {
        var (isInside, hasLetters) = (false, false);
        foreach (var rune in text.EnumerateRunes())
        {
            var isCased = Characters.IsCased(rune);
            if (isCased && Characters.IsLower(rune) != isInside)
            {
                return false;
            }

            (isInside, hasLetters) = (isCased, hasLetters || isCased);
        }

        return hasLetters;
    }

    public static string Swap(string text)
    {
        var result = new StringBuilder();
        for (var i = 0; i < text.Length; )
        {
            var size = CodePoints.SizeAt(text, i);
            var isRune = Rune.TryGetRuneAt(text, i, out var rune);
            result.Append(
                isRune && Characters.IsUpper(rune) ? LowerAt(text, i, size)
                : isRune && Characters.IsLower(rune) ? Upper(rune)
                : text.Substring(i, size)
            );
            i += size;
        }

        return result.ToString();
    }

    private static string Upper(Rune rune) => (rune.IsBmp ? LongUppers.Find((char)rune.Value) : null) ?? rune.ToString().ToUpperInvariant();

    /// <summary>A letter at a word's beginning: ligatures keep only their first part large.</summary>
    private static string Title(string letter) =>
        letter switch
        {
            "ǆ" or "Ǆ" or "ǅ" => "ǅ",
            "ǉ" or "Ǉ" or "ǈ" => "ǈ",
            "ǌ" or "Ǌ" or "ǋ" => "ǋ",
            "ǳ" or "Ǳ" or "ǲ" => "ǲ",
            [>= '\u10D0' and <= '\u10FF'] => letter, // Georgian has capitals only for words as a whole
            [>= '\u1F80' and <= '\u1FFC'] when Upper(letter) is [.., '\u0399'] several && several.Length > 1 => letter.ToUpperInvariant()
                is var single
            && (single != letter || Characters.IsTitle(letter.EnumerateRunes().First()))
                ? single
                : several[..^1] + '\u0345',
            ['ß' or 'և' or (>= '\uFB00' and <= '\uFB17')] => Upper(letter) is var parts ? parts[0] + Lower(parts[1..]) : "",
            _ => Upper(letter),
        };

    private static string LowerAt(string text, int start, int size) =>
        text[start] == 'Σ'
            ? IsFinal(text, start)
                ? "ς"
                : "σ"
            : Lower(text.Substring(start, size));

    private static string LowerRest(string text, int start) => Lower(text)[^Lower(text[start..]).Length..];

    /// <summary>A sigma behind a letter and before none.</summary>
    private static bool IsFinal(string text, int place) =>
        text.AsSpan(0, place).TrimEnd('\'') is [.., var before]
        && char.IsLetter(before)
        && !(text.AsSpan(place + 1).TrimStart('\'') is [var after, ..] && char.IsLetter(after));
}
