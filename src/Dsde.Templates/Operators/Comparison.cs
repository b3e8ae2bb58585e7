using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Operators;

/// <summary>Equality, order and membership.</summary>
internal static class Comparison
{
    public static bool AreEqual(object? left, object? right)
    {
        if (ReferenceEquals(left, right))
        {
            return left is not double number || !double.IsNaN(number);
        }

        return (left, right) switch
        {
            (Text a, Text b) => a.Length == b.Length && IsLookedAt(a) && a.Value == b.Value,
            (PyList a, PyList b) => AreEqual(a.Items, b.Items),
            (PyTuple a, PyTuple b) => AreEqual(a.Items, b.Items),
            (PyDict a, PyDict b) => AreEqual(a, b),
            (PyRange a, PyRange b) => a.Count == b.Count && (a.Count == 0 || a[0] == b[0]) && (a.Count < 2 || a.Step == b.Step),
            (Undefined, Undefined) => true,
            _ => Numbers.Is(left) && Numbers.Is(right) && Numbers.Compare(left, right) == 0,
        };
    }

    /// <summary>The sign of the difference; null where there is none (NaN).</summary>
    /// <param name="left">The one.</param>
    /// <param name="right">The other.</param>
    /// <param name="sign">The operator, for messages.</param>
    /// <exception cref="TemplateException">The two have no order.</exception>
    public static int? Order(object? left, object? right, string sign)
    {
        if (Numbers.Is(left) && Numbers.Is(right))
        {
            return Numbers.Compare(left, right);
        }

        return (left, right) switch
        {
            (Text a, Text b) => IsLookedAt(a) && IsLookedAt(b) ? CompareCodePoints(a.Value, b.Value) : null,
            (PyList a, PyList b) => Order(a.Items, b.Items, sign),
            (PyTuple a, PyTuple b) => Order(a.Items, b.Items, sign),
            (Undefined undefined, _) => throw undefined.Refuse(),
            (_, Undefined undefined) => throw undefined.Refuse(),
            _ => throw new TemplateException($"'{sign}' not supported between instances of '{Kind.Of(left)}' and '{Kind.Of(right)}'"),
        };
    }

    public static bool Holds(string sign, object? left, object? right) =>
        sign switch
        {
            "==" => AreEqual(left, right),
            "!=" => !AreEqual(left, right),
            "<" => Order(left, right, sign) < 0,
            "<=" => Order(left, right, sign) <= 0,
            ">" => Order(left, right, sign) > 0,
            ">=" => Order(left, right, sign) >= 0,
            "in" => Contains(right, left),
            "not in" => !Contains(right, left),
            _ => throw new ArgumentOutOfRangeException(nameof(sign)),
        };

    /// <exception cref="TemplateException">Nothing can be in it.</exception>
    public static bool Contains(object? container, object? item) =>
        container switch
        {
            Text text => item switch
            {
                Text part => IsSearched(text, part) && text.Value.Contains(part.Value, StringComparison.Ordinal),
                _ => throw new TemplateException($"'in <string>' requires string as left operand, not {Kind.Of(item)}"),
            },
            PyDict dict => dict.TryGet(item, out _),
            PyRange range when Numbers.ToIndex(item) is { } number => range.Contains(number),
            _ => Items.Of(container).Any(other => AreEqual(other, item)),
        };

    /// <summary>Order of two texts by code points, where .NET has that of code units.</summary>
    public static int CompareCodePoints(string left, string right)
    {
        var length = Math.Min(left.Length, right.Length);
        for (var i = 0; i < length; i++)
        {
            var (a, b) = (left[i], right[i]);
            if (a != b)
            {
                return char.IsSurrogate(a) == char.IsSurrogate(b) ? a - b
                    : char.IsSurrogate(a) ? 1
                    : -1;
            }
        }

        return left.Length - right.Length;
    }

    private static bool AreEqual(IReadOnlyList<object?> left, IReadOnlyList<object?> right) =>
        left.Count == right.Count
        && Inside(() => left.Zip(right).All(pair => ReferenceEquals(pair.First, pair.Second) || AreCountedEqual(pair.First, pair.Second)));

    private static bool AreEqual(PyDict left, PyDict right) =>
        left.Count == right.Count
        && Inside(() => left.Entries.All(entry => right.TryGet(entry.Key, out var other) && AreCountedEqual(entry.Value, other)));

    private static int? Order(IReadOnlyList<object?> left, IReadOnlyList<object?> right, string sign) =>
        Inside(() =>
        {
            for (var i = 0; i < Math.Min(left.Count, right.Count); i++)
            {
                if (!AreCountedEqual(left[i], right[i]))
                {
                    return Order(left[i], right[i], sign);
                }
            }

            return left.Count - right.Count;
        });

    private static bool AreCountedEqual(object? left, object? right)
    {
        Budget.Current.Step();
        return AreEqual(left, right);
    }

    /// <summary>One level deeper: lists may be in lists, and the same one twice in each.</summary>
    private static T Inside<T>(Func<T> compare)
    {
        var budget = Budget.Current;
        budget.Enter();
        var result = compare();
        budget.Leave();
        return result;
    }

    private static bool IsLookedAt(Text text)
    {
        Budget.Current.Look(text);
        return true;
    }

    private static bool IsSearched(Text text, Text part)
    {
        Budget.Current.Search(text.Length, part.Length);
        return true;
    }
}
