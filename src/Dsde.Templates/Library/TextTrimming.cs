using Dsde.Templates.Operators;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>Taking characters off the ends of texts.</summary>
internal static class TextTrimming
{
    public static Text Strip(Text text, Arguments given, string name, bool atStart, bool atEnd) =>
        Strip(text, given.Bind(name, 0, "/chars").TextOrNone(0), atStart, atEnd);

    /// <param name="text">The text.</param>
    /// <param name="characters">What to take off; null for white space.</param>
    /// <param name="atStart">Whether at the start.</param>
    /// <param name="atEnd">Whether at the end.</param>
    public static Text Strip(Text text, Text? characters, bool atStart = true, bool atEnd = true)
    {
        var wanted = characters?.Value.EnumerateRunes().ToHashSet();
        var (start, end) = (0, text.Length);
        while (atStart && start < end && CodePoints.SizeAt(text.Value, start) is var size && IsWanted(start, size))
        {
            start += size;
        }

        while (atEnd && end > start && SizeBefore(text.Value, end) is var size && IsWanted(end - size, size))
        {
            end -= size;
        }

        return text.Slice(start, end - start);

        bool IsWanted(int place, int size) =>
            wanted is null
                ? size == 1 && Characters.IsSpace(text.Value[place])
                : System.Text.Rune.TryGetRuneAt(text.Value, place, out var rune) && wanted.Contains(rune);
    }

    private static int SizeBefore(string text, int end) =>
        end >= 2 && char.IsLowSurrogate(text[end - 1]) && char.IsHighSurrogate(text[end - 2]) ? 2 : 1;
}
