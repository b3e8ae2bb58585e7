using Dsde.Templates.Operators;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>Cutting texts up, and putting other text into them.</summary>
internal static class TextSplitting
{
    private const int StepsPerPart = 8; // what a text takes of memory

    public static PyList Split(Text text, Arguments given, bool fromEnd, Budget budget)
    {
        var bound = given.Bind("split", 0, "sep", "maxsplit");
        var separator = bound.TextOrNone(0);
        var most = bound.Int(1, -1);
        most = most < 0 ? int.MaxValue : most;
        if (separator is { Length: 0 })
        {
            throw new TemplateException("empty separator");
        }

        budget.Search(text.Length, separator?.Length ?? 0);
        var places = separator is null ? Words(text.Value, budget) : Between(text.Value, separator.Value, fromEnd, budget);
        var parts = Limit(places, most, fromEnd, text.Value, isBlank: separator is null)
            .Select(part => (object?)text.Slice(part.Start, part.End - part.Start))
            .ToList();
        return new PyList(parts);
    }

    public static PyList SplitLines(Text text, bool keepsEnds, Budget budget)
    {
        var lines = new List<object?>();
        for (var start = 0; start < text.Length; )
        {
            var end = start;
            while (end < text.Length && !IsLineEnd(text.Value[end]))
            {
                end++;
            }

            var next =
                end == text.Length ? end
                : text.Value[end] == '\r' && end + 1 < text.Length && text.Value[end + 1] == '\n' ? end + 2
                : end + 1;
            budget.Step(StepsPerPart);
            lines.Add(text.Slice(start, (keepsEnds ? next : end) - start));
            start = next;
        }

        return new PyList(lines);
    }

    public static PyTuple Partition(Text text, Arguments given, bool isLast)
    {
        var separator = given.Bind("partition", 1, "/sep").Text(0);
        if (separator.Length == 0)
        {
            throw new TemplateException("empty separator");
        }

        Budget.Current.Search(text.Length, separator.Length);
        var place = isLast
            ? text.Value.LastIndexOf(separator.Value, StringComparison.Ordinal)
            : text.Value.IndexOf(separator.Value, StringComparison.Ordinal);
        var end = place + separator.Length;
        return place >= 0 ? new PyTuple([text.Slice(0, place), text.Slice(place, separator.Length), text.Slice(end, text.Length - end)])
            : isLast ? new PyTuple([Text.Empty, Text.Empty, text])
            : new PyTuple([text, Text.Empty, Text.Empty]);
    }

    /// <param name="text">The text.</param>
    /// <param name="old">What goes; empty for the places around each character.</param>
    /// <param name="replacement">What comes.</param>
    /// <param name="most">How often; below 0 for ever.</param>
    /// <param name="budget">What is left.</param>
    public static Text Replace(Text text, Text old, Text replacement, int most, Budget budget)
    {
        var result = new TextBuilder(budget);
        var (start, count) = (0, most < 0 ? int.MaxValue : most);
        budget.Search(text.Length, old.Length);
        if (old.Length == 0)
        {
            budget.GoThrough(text);
            var parts = CodePoints.Split(text).OfType<Text>().ToList();
            for (var i = 0; i <= parts.Count; i++)
            {
                result.Append(i < count ? replacement : Text.Empty);
                result.Append(i < parts.Count ? parts[i] : Text.Empty);
            }

            return result.ToText().AsMarkup(text.IsMarkup);
        }

        for (; count > 0; count--)
        {
            var place = text.Value.IndexOf(old.Value, start, StringComparison.Ordinal);
            if (place < 0)
            {
                break;
            }

            result.Append(text.Slice(start, place - start));
            result.Append(replacement);
            start = place + old.Length;
        }

        result.Append(text.Slice(start, text.Length - start));
        return result.ToText().AsMarkup(text.IsMarkup);
    }

    private static bool IsLineEnd(char character) =>
        character is '\n' or '\r' or '\v' or '\f' or (>= '\x1C' and <= '\x1E') or '\x85' or '\u2028' or '\u2029';

    private static List<(int Start, int End)> Words(string text, Budget budget)
    {
        var words = new List<(int, int)>();
        for (var i = 0; i < text.Length; )
        {
            if (Characters.IsSpace(text[i]))
            {
                i++;
                continue;
            }

            var start = i;
            while (i < text.Length && !Characters.IsSpace(text[i]))
            {
                i++;
            }

            budget.Step(StepsPerPart);
            words.Add((start, i));
        }

        return words;
    }

    private static List<(int Start, int End)> Between(string text, string separator, bool fromEnd, Budget budget)
    {
        var places = new List<int>();
        if (fromEnd)
        {
            for (var end = text.Length; end >= separator.Length; )
            {
                var place = text.AsSpan(0, end).LastIndexOf(separator, StringComparison.Ordinal);
                if (place < 0)
                {
                    break;
                }

                budget.Step(StepsPerPart);
                places.Add(place);
                end = place;
            }

            places.Reverse();
        }
        else
        {
            for (var i = 0; text.IndexOf(separator, i, StringComparison.Ordinal) is >= 0 and var place; i = place + separator.Length)
            {
                budget.Step(StepsPerPart);
                places.Add(place);
            }
        }

        var starts = places.Select(place => place + separator.Length).Prepend(0);
        return [.. starts.Zip(places.Append(text.Length))];
    }

    /// <summary>Puts the parts beyond the most splits together again; of words without the white space at the ends.</summary>
    private static IEnumerable<(int Start, int End)> Limit(
        List<(int Start, int End)> parts,
        int most,
        bool fromEnd,
        string text,
        bool isBlank
    )
    {
        if (parts.Count == 0 || parts.Count - 1 <= most)
        {
            return parts;
        }

        var rest = parts.Count - most;
        return fromEnd
            ? parts.Skip(rest).Prepend((0, parts[rest - 1].End))
            : parts.Take(most).Append((parts[most].Start, isBlank ? text.Length - TrailingBlanks(text) : text.Length));
    }

    private static int TrailingBlanks(string text) => text.Reverse().TakeWhile(Characters.IsSpace).Count();
}
