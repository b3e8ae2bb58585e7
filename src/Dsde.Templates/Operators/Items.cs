using Dsde.Templates.Values;

namespace Dsde.Templates.Operators;

/// <summary>Going through values, and how many there are.</summary>
internal static class Items
{
    /// <summary>The items of what can be iterated over.</summary>
    /// <exception cref="TemplateException">It can't.</exception>
    public static IEnumerable<object?> Of(object? value)
    {
        Running.Budget.Current.GoThrough(value);
        return value switch
        {
            PyList list => list.Items,
            PyTuple tuple => tuple.Items,
            PyDict dict => dict.Entries.Select(entry => entry.Key),
            Text text => CodePoints.Split(text),
            PyRange range => Enumerable.Range(0, range.Count).Select(i => (object?)range[i]),
            DictView view => view.Items,
            Generator generator => generator.Take(),
            Running.LoopState loop => loop.Remaining(),
            Undefined => [],
            _ => throw new TemplateException($"'{Kind.Of(value)}' object is not iterable"),
        };
    }

    public static bool Has(object? value) =>
        value is PyList or PyTuple or PyDict or Text or PyRange or DictView or Generator or Undefined or Running.LoopState;

    /// <exception cref="TemplateException">It has no length.</exception>
    public static int Count(object? value) =>
        TryCount(value) ?? throw new TemplateException($"object of type '{Kind.Of(value)}' has no len()");

    public static int? TryCount(object? value) =>
        value switch
        {
            PyList list => list.Items.Count,
            PyTuple tuple => tuple.Items.Count,
            PyDict dict => dict.Count,
            Text text => CodePoints.Count(text.Value),
            PyRange range => range.Count,
            DictView view => view.Items.Count,
            Running.LoopState loop => loop.Length,
            Undefined => 0,
            _ => null,
        };
}
