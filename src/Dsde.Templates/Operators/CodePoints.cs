using Dsde.Templates.Values;

namespace Dsde.Templates.Operators;

/// <summary>Texts by code points, as Python counts, over .NET's code units.</summary>
internal static class CodePoints
{
    public static int Count(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDBFF'))
        {
            return text.Length;
        }

        var count = text.Length;
        for (var i = 1; i < text.Length; i++)
        {
            if (char.IsLowSurrogate(text[i]) && char.IsHighSurrogate(text[i - 1]))
            {
                count--;
            }
        }

        return count;
    }

    /// <summary>Where a code point begins; the text's end for one behind it.</summary>
    public static int ToUnit(string text, int point)
    {
        if (Count(text) == text.Length)
        {
            return Math.Min(point, text.Length);
        }

        var unit = 0;
        for (; point > 0 && unit < text.Length; point--)
        {
            unit += SizeAt(text, unit);
        }

        return unit;
    }

    /// <summary>How many code points stand before a place.</summary>
    public static int ToPoint(string text, int unit) => Count(text[..unit]);

    public static int SizeAt(string text, int unit) =>
        char.IsHighSurrogate(text[unit]) && unit + 1 < text.Length && char.IsLowSurrogate(text[unit + 1]) ? 2 : 1;

    /// <summary>Each code point as a text.</summary>
    public static IEnumerable<object?> Split(Text text)
    {
        for (var i = 0; i < text.Length; )
        {
            var size = SizeAt(text.Value, i);
            yield return text.Slice(i, size);
            i += size;
        }
    }

    public static Text Slice(Text text, int start, int end)
    {
        var from = ToUnit(text.Value, start);
        var to = ToUnit(text.Value, end);
        return text.Slice(from, Math.Max(0, to - from));
    }
}
