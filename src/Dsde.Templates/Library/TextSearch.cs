using System.Numerics;
using Dsde.Templates.Operators;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>Finding texts in texts, between two places counted as Python does.</summary>
internal static class TextSearch
{
    public static object Find(Text text, Arguments given, string name, bool isLast, bool isRequired)
    {
        var bound = given.Bind(name, 1, "/sub", "/start", "/end");
        var wanted = bound.Text(0).Value;
        if (Range(text.Value, bound) is not (var start, var end))
        {
            return NotFound(isRequired);
        }

        Budget.Current.Search(end - start, wanted.Length);
        var within = text.Value.AsSpan(start, end - start);
        var place = isLast ? within.LastIndexOf(wanted, StringComparison.Ordinal) : within.IndexOf(wanted, StringComparison.Ordinal);
        place = isLast && wanted.Length == 0 ? within.Length : place;
        return place < 0 ? NotFound(isRequired) : new BigInteger(CodePoints.ToPoint(text.Value, start + place));
    }

    public static object Count(Text text, Arguments given)
    {
        var bound = given.Bind("count", 1, "/sub", "/start", "/end");
        var wanted = bound.Text(0).Value;
        if (Range(text.Value, bound) is not (var start, var end))
        {
            return BigInteger.Zero;
        }

        Budget.Current.Search(end - start, wanted.Length);
        var within = text.Value[start..end];
        return wanted.Length == 0 ? new BigInteger(CodePoints.Count(within) + 1) : new BigInteger(within.AsSpan().Count(wanted));
    }

    public static object Affix(Text text, Arguments given, string name, bool isEnd)
    {
        var bound = given.Bind(name, 1, "/affix", "/start", "/end");
        IReadOnlyList<object?> wanted = bound[0] is PyTuple several ? several.Items : [bound.Text(0)];
        if (wanted.Any(item => item is not Text))
        {
            throw new TemplateException($"tuple for {name} must only contain str");
        }

        if (Range(text.Value, bound) is not (var start, var end))
        {
            return false;
        }

        var within = text.Value[start..end];
        return wanted
            .OfType<Text>()
            .Any(affix =>
                isEnd ? within.EndsWith(affix.Value, StringComparison.Ordinal) : within.StartsWith(affix.Value, StringComparison.Ordinal)
            );
    }

    private static object NotFound(bool isRequired) =>
        isRequired ? throw new TemplateException("substring not found") : BigInteger.MinusOne;

    private static (int Start, int End)? Range(string text, Bound bound)
    {
        var count = CodePoints.Count(text);
        var start = bound[1] is null ? 0 : bound.Int(1, 0);
        var end = bound[2] is null ? count : bound.Int(2, count);
        start = start < 0 ? Math.Max(0, start + count) : start;
        end = end < 0 ? Math.Max(0, end + count) : Math.Min(end, count);
        return start > end ? null : (CodePoints.ToUnit(text, start), CodePoints.ToUnit(text, end));
    }
}
