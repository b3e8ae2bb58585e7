using System.Numerics;
using Dsde.Templates.Library;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Operators;

/// <summary>Attributes, items and slices. What a sandbox keeps from templates is undefined.</summary>
internal static class Access
{
    /// <summary><c>value.name</c>: an attribute if there is one, otherwise an item.</summary>
    public static object? Attribute(object? value, string name)
    {
        if (value is Undefined undefined)
        {
            return name.StartsWith("__", StringComparison.Ordinal)
                ? Undefined.Missing(value, Text.FromData(name))
                : throw undefined.Refuse();
        }

        return TryAttribute(value, name, out var found) ? found
            : TryItem(value, Text.FromTemplate(name), out found) ? found
            : Undefined.Missing(value, Text.FromData(name));
    }

    /// <summary><c>value[key]</c>: an item if there is one, otherwise an attribute of that name.</summary>
    public static object? Item(object? value, object? key)
    {
        if (value is Undefined undefined)
        {
            throw undefined.Refuse();
        }

        return TryItem(value, key, out var found) ? found
            : key is Text name && TryAttribute(value, name.Value, out found) ? found
            : Undefined.Missing(value, key);
    }

    /// <summary>An attribute in the strict sense, without items.</summary>
    public static bool TryAttribute(object? value, string name, out object? found)
    {
        if (name.StartsWith('_'))
        {
            found = Private(value, name);
            return name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal);
        }

        switch (value)
        {
            case Namespace:
                found = null;
                return false; // its attributes are items to Jinja
            case PyTuple tuple when tuple.Names.Contains(name):
                found = tuple.Items[tuple.Names.ToList().IndexOf(name)];
                return true;
            default:
                return Methods.TryFind(value, name, out found);
        }
    }

    /// <summary>Whether a value and the bounds are of kinds for slices.</summary>
    public static bool CanSlice(object? value, object? start, object? stop, object? step) =>
        value is Text or PyList or PyTuple or PyRange && IsBound(start) && IsBound(stop) && IsBound(step);

    /// <summary><c>value[start:stop:step]</c>.</summary>
    public static object? Slice(object? value, object? start, object? stop, object? step, Budget budget)
    {
        if (value is Undefined undefined)
        {
            throw undefined.Refuse();
        }

        if (!CanSlice(value, start, stop, step))
        {
            throw new TemplateException($"{Kind.Of(value)} object can't be sliced so: it takes lists and texts, and whole numbers or none");
        }

        var by = Numbers.ToIndex(step) ?? BigInteger.One;
        if (by.IsZero)
        {
            throw new TemplateException("slice step cannot be zero");
        }

        var count = Items.Count(value);
        var (first, end) = Bounds(count, start, stop, by);
        budget.Step(count / 16);
        return value switch
        {
            Text text when by.IsOne => CodePoints.Slice(text, first, Math.Max(first, end)),
            Text text => Pick(Items.Of(text), first, end, by) is var picked ? Concatenate(picked, text, budget) : null,
            PyList list => new PyList(Pick(list.Items, first, end, by)),
            PyTuple tuple => new PyTuple(Pick(tuple.Items, first, end, by)),
            PyRange range => new PyRange(range.Start + (range.Step * first), range.Start + (range.Step * end), range.Step * by),
            _ => null,
        };
    }

    private static Undefined Private(object? value, string name) =>
        new($"access to attribute '{name}' of '{Kind.Of(value)}' object is unsafe.");

    private static bool IsBound(object? value) => value is null || Numbers.ToIndex(value) is not null;

    private static bool TryItem(object? value, object? key, out object? found)
    {
        found = null;
        switch (value)
        {
            case PyDict dict:
                return key is not (PyList or PyDict) && dict.TryGet(key, out found);
            case Namespace names:
                return key is Text name && names.Attributes.TryGetValue(name.Value, out found);
            case Text or PyList or PyTuple or PyRange when Numbers.ToIndex(key) is { } index:
                Budget.Current.Look(value as Text);
                var count = Items.Count(value);
                var place = index < 0 ? index + count : index;
                if (place < 0 || place >= count)
                {
                    return false;
                }

                found = At(value, (int)place);
                return true;
            default:
                return false;
        }
    }

    private static object? At(object? value, int index) =>
        value switch
        {
            Text text => CodePoints.Slice(text, index, index + 1),
            PyList list => list.Items[index],
            PyTuple tuple => tuple.Items[index],
            PyRange range => range[index],
            _ => null,
        };

    private static (int First, int End) Bounds(int count, object? start, object? stop, BigInteger step)
    {
        var (lowest, highest) = step > 0 ? (0, count) : (-1, count - 1);
        int Place(object? value, int otherwise)
        {
            if (value is null)
            {
                return otherwise;
            }

            var index = Numbers.ToIndex(value)!.Value;
            return (int)BigInteger.Max(lowest, BigInteger.Min(highest, index < 0 ? index + count : index));
        }

        return step > 0 ? (Place(start, 0), Place(stop, count)) : (Place(start, count - 1), Place(stop, -1));
    }

    private static List<object?> Pick(IEnumerable<object?> items, int first, int end, BigInteger step)
    {
        var all = items as IReadOnlyList<object?> ?? items.ToList();
        var picked = new List<object?>();
        for (BigInteger i = first; step > 0 ? i < end : i > end; i += step)
        {
            picked.Add(all[(int)i]);
        }

        return picked;
    }

    private static Text Concatenate(List<object?> parts, Text source, Budget budget)
    {
        var text = new TextBuilder(budget);
        foreach (var part in parts.OfType<Text>())
        {
            text.Append(part);
        }

        return text.ToText().AsMarkup(source.IsMarkup);
    }
}
