using System.Numerics;
using Dsde.Templates.Operators;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>Jinja's tests: what stands behind <c>is</c>.</summary>
internal static class Tests
{
    private static readonly BigInteger Two = 2;

    private static readonly Dictionary<string, Func<object?, bool>> Plain = new(StringComparer.Ordinal)
    {
        ["boolean"] = value => value is bool,
        ["callable"] = value => value is ICallable or Undefined,
        ["defined"] = value => value is not Undefined,
        ["escaped"] = value => value is Text { IsMarkup: true },
        ["even"] = value => Comparison.AreEqual(Rest(value, Two), BigInteger.Zero),
        ["false"] = value => value is false,
        ["filter"] = value => Hashable(value) is Text name && Filters.Has(name.Value),
        ["float"] = value => value is double,
        ["integer"] = value => value is BigInteger,
        ["iterable"] = Items.Has,
        ["lower"] = value => IsCased(value, Characters.IsLower),
        ["mapping"] = value => value is PyDict,
        ["none"] = value => value is null,
        ["number"] = Numbers.Is,
        ["odd"] = value => Comparison.AreEqual(Rest(value, Two), BigInteger.One),
        ["sequence"] = value => value is Text or PyList or PyTuple or PyDict or PyRange or Undefined,
        ["string"] = value => value is Text,
        ["test"] = value => Hashable(value) is Text name && Has(name.Value),
        ["true"] = value => value is true,
        ["undefined"] = value => value is Undefined,
        ["upper"] = value => IsCased(value, Characters.IsUpper),
    };

    private static readonly Dictionary<string, Func<object?, object?, bool>> WithOperand = new(StringComparer.Ordinal)
    {
        ["divisibleby"] = (value, by) => Comparison.AreEqual(Rest(value, by), BigInteger.Zero),
        ["sameas"] = (value, other) =>
            ReferenceEquals(value, other) || (value is bool or null && other is bool or null && Equals(value, other)),
        ["in"] = (value, container) => Comparison.Contains(container, value),
        ["=="] = Comparison.AreEqual,
        ["eq"] = Comparison.AreEqual,
        ["equalto"] = Comparison.AreEqual,
        ["!="] = (left, right) => !Comparison.AreEqual(left, right),
        ["ne"] = (left, right) => !Comparison.AreEqual(left, right),
        [">"] = (left, right) => Comparison.Holds(">", left, right),
        ["gt"] = (left, right) => Comparison.Holds(">", left, right),
        ["greaterthan"] = (left, right) => Comparison.Holds(">", left, right),
        ["ge"] = (left, right) => Comparison.Holds(">=", left, right),
        [">="] = (left, right) => Comparison.Holds(">=", left, right),
        ["<"] = (left, right) => Comparison.Holds("<", left, right),
        ["lt"] = (left, right) => Comparison.Holds("<", left, right),
        ["lessthan"] = (left, right) => Comparison.Holds("<", left, right),
        ["<="] = (left, right) => Comparison.Holds("<=", left, right),
        ["le"] = (left, right) => Comparison.Holds("<=", left, right),
    };

    private static object? Hashable(object? value)
    {
        KeyComparer.RequireHashable(value);
        return value;
    }

    public static bool Has(string name) => Plain.ContainsKey(name) || WithOperand.ContainsKey(name);

    public static bool Apply(string name, Arguments given)
    {
        if (Plain.TryGetValue(name, out var plain))
        {
            return plain(given.Bind(name, 1, "value")[0]);
        }

        if (!WithOperand.TryGetValue(name, out var test))
        {
            throw new TemplateException($"No test named '{name}'.");
        }

        var bound = given.Bind(
            name,
            2,
            "value",
            name == "divisibleby" ? "num"
                : name == "in" ? "seq"
                : name == "sameas" ? "other"
                : "/b"
        );
        return test(bound[0], bound[1]);
    }

    private static object? Rest(object? value, object? by) =>
        value is Text ? throw new TemplateException("a string is no number") : Arithmetic.Apply("%", value, by, Budget.Current);

    private static bool IsCased(object? value, Func<System.Text.Rune, bool> test)
    {
        Budget.Current.GoThrough(value);
        var cased = Representation.Show(value, Budget.Current).Value.EnumerateRunes().Where(Characters.IsCased).ToList();
        return cased.Count > 0 && cased.TrueForAll(rune => test(rune));
    }
}
