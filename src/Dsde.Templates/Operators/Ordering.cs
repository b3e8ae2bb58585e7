namespace Dsde.Templates.Operators;

/// <summary>Stable sorting by keys that have an order.</summary>
internal static class Ordering
{
    /// <exception cref="TemplateException">Two keys have no order.</exception>
    public static IReadOnlyList<T> Sort<T>(IEnumerable<T> items, Func<T, object?> keyOf, bool isReverse)
    {
        try
        {
            var comparer = Comparer<object?>.Create((left, right) => Comparison.Order(left, right, "<") ?? 0);
            return isReverse ? [.. items.OrderByDescending(keyOf, comparer)] : [.. items.OrderBy(keyOf, comparer)];
        }
        catch (InvalidOperationException exception) when (exception.InnerException is TemplateException inner)
        {
            throw inner;
        }
    }
}
