using System.Numerics;
using Dsde.Templates.Operators;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>Jinja's filters on lists, mappings and other things with items.</summary>
internal static class SequenceFilters
{
    public static readonly Dictionary<string, Func<Machine, Arguments, object?>> All = new(StringComparer.Ordinal)
    {
        ["batch"] = (machine, given) => Batch(machine, given),
        ["dictsort"] = (_, given) => DictSort(given),
        ["first"] = (_, given) =>
        {
            foreach (var item in Items.Of(given.Bind("first", 1, "seq")[0]))
            {
                return item;
            }

            return new Undefined("No first item, sequence was empty.");
        },
        ["groupby"] = (machine, given) => GroupBy(machine, given),
        ["items"] = (machine, given) => Pairs(given),
        ["join"] = Join,
        ["last"] = (_, given) => Last(given.Bind("last", 1, "seq")[0]),
        ["list"] = (machine, given) => machine.ListOf(Items.Of(given.Bind("list", 1, "value")[0])),
        ["map"] = Map,
        ["max"] = (machine, given) => Extreme(machine, given, "max", 1),
        ["min"] = (machine, given) => Extreme(machine, given, "min", -1),
        ["reject"] = (machine, given) => Select(machine, given, hasAttribute: false, isWanted: false),
        ["rejectattr"] = (machine, given) => Select(machine, given, hasAttribute: true, isWanted: false),
        ["reverse"] = Reverse,
        ["select"] = (machine, given) => Select(machine, given, hasAttribute: false, isWanted: true),
        ["selectattr"] = (machine, given) => Select(machine, given, hasAttribute: true, isWanted: true),
        ["slice"] = (machine, given) => Slice(machine, given),
        ["sort"] = Sort,
        ["sum"] = (machine, given) =>
        {
            var bound = given.Bind("sum", 1, "iterable", "attribute", "start");
            var start = bound.Or(2, BigInteger.Zero);
            return start is Text
                ? throw new TemplateException("sum() can't sum strings [use ''.join(seq) instead]")
                : Items
                    .Of(bound[0])
                    .Select(bound[1] is null ? item => item : Getter(bound[1], null))
                    .Aggregate(start, (sum, item) => Arithmetic.Apply("+", sum, item, machine.Budget));
        },
        ["unique"] = (machine, given) =>
        {
            var bound = given.Bind("unique", 1, "value", "case_sensitive", "attribute");
            return new Generator(Unique(machine, Items.Of(bound[0]), Key(bound[2], isCased: bound.Truth(1))));
        },
    };

    /// <summary>Small letters, unless case counts.</summary>
    private static object? Fold(object? value) => value is Text text ? text.Respell(Casing.Lower(text.Value)) : value;

    private static Func<object?, object?> Key(object? attribute, bool isCased)
    {
        var get = Getter(attribute, null);
        return item => isCased ? get(item) : Fold(get(item));
    }

    /// <summary>Reads an attribute of an attribute…; numbers are indexes.</summary>
    private static Func<object?, object?> Getter(object? attribute, object? otherwise)
    {
        var path = Path(attribute);
        return item =>
        {
            foreach (var key in path)
            {
                item = Access.Item(item, key);
                item = item is Undefined && otherwise is not null ? otherwise : item;
            }

            return item;
        };
    }

    private static List<object?> Path(object? attribute) =>
        attribute switch
        {
            null => [],
            Text text =>
            [
                .. text
                    .Value.Split('.')
                    .Select(part =>
                        part.Length > 0 && part.All(char.IsAsciiDigit)
                            ? (object?)BigInteger.Parse(part, System.Globalization.CultureInfo.InvariantCulture)
                            : Text.FromTemplate(part)
                    ),
            ],
            _ => [attribute],
        };

    private static Text Join(Machine machine, Arguments given)
    {
        var bound = given.Bind("join", 1, "value", "d", "attribute");
        var separator = bound.Has(1) ? machine.Show(bound[1]) : Text.Empty;
        var get = bound[2] is null ? null : Getter(bound[2], null);
        var text = new TextBuilder(machine.Budget);
        var isFirst = true;
        foreach (var item in Items.Of(bound[0]))
        {
            machine.Budget.Step();
            text.Append(isFirst ? Text.Empty : separator);
            text.Append(machine.Show(get is null ? item : get(item)));
            isFirst = false;
        }

        return text.ToText();
    }

    private static object? Last(object? value)
    {
        if (value is not (Text or PyList or PyTuple or PyDict or PyRange or DictView or Undefined))
        {
            throw new TemplateException($"'{Kind.Of(value)}' object is not reversible");
        }

        var items = Items.Of(value).ToList();
        return items.Count > 0 ? items[^1] : new Undefined("No last item, sequence was empty.");
    }

    private static object Reverse(Machine machine, Arguments given)
    {
        var value = given.Bind("reverse", 1, "value")[0];
        var items = machine.ListOf(Items.Of(value)).Items.Reverse().ToList();
        if (value is not Text source)
        {
            return value is Generator ? new PyList(items) : new Generator(items);
        }

        var text = new TextBuilder(machine.Budget);
        foreach (var part in items.OfType<Text>())
        {
            text.Append(part);
        }

        return text.ToText().AsMarkup(source.IsMarkup);
    }

    private static Generator Pairs(Arguments given)
    {
        var value = given.Bind("items", 1, "value")[0];
        return new Generator(List());

        IEnumerable<object?> List()
        {
            if (value is Undefined)
            {
                yield break;
            }

            var dict = value as PyDict ?? throw new TemplateException("Can only get item pairs from a mapping.");
            foreach (var (key, item) in dict.Entries)
            {
                yield return new PyTuple([key, item]);
            }
        }
    }

    private static Generator Map(Machine machine, Arguments given)
    {
        if (given.Positional.Count == 1)
        {
            var options = given.Bind("map", 1, "/value", "attribute", "default");
            return options.Has(1)
                ? new Generator(Some(options[0]).Select(Counted(machine, Getter(options[1], options[2]))))
                : throw new TemplateException("map requires a filter argument");
        }

        var name = given.Positional[1] as Text ?? throw new TemplateException("map wants the name of a filter");
        return new Generator(
            Some(given.Positional[0])
                .Select(Counted(machine, item => Filters.Apply(name.Value, machine, Machine.Prepend(item, given.Skip(2)))))
        );
    }

    /// <summary>Items; none of what is false, even if it could have none.</summary>
    private static IEnumerable<object?> Some(object? value) => Truth.Of(value) ? Items.Of(value) : [];

    private static Func<object?, object?> Counted(Machine machine, Func<object?, object?> get) =>
        item =>
        {
            machine.Budget.Step();
            return get(item);
        };

    private static Generator Select(Machine machine, Arguments given, bool hasAttribute, bool isWanted)
    {
        var skipped = hasAttribute ? 2 : 1;
        if (given.Positional.Count < skipped)
        {
            throw new TemplateException("Missing parameter for attribute name");
        }

        var get = hasAttribute ? Getter(given.Positional[1], null) : item => item;
        var test =
            given.Positional.Count > skipped
                ? given.Positional[skipped] as Text ?? throw new TemplateException("a test is called by its name")
                : null;
        var rest = given.Skip(skipped + 1);
        return new Generator(Some(given.Positional[0]).Where(item => Holds(get(item)) == isWanted));

        bool Holds(object? item)
        {
            machine.Budget.Step();
            return test is null ? Truth.Of(item) : Tests.Apply(test.Value, Machine.Prepend(item, rest));
        }
    }

    private static PyList Sort(Machine machine, Arguments given)
    {
        var bound = given.Bind("sort", 1, "value", "reverse", "case_sensitive", "attribute");
        Func<object?, object?>[] keys = bound[3] is Text several
            ? [.. several.Value.Split(',').Select(part => Key(Text.FromTemplate(part), bound.Truth(2)))]
            : [Key(bound[3], bound.Truth(2))];
        var items = machine.ListOf(Items.Of(bound[0])).Items;
        return new PyList(Ordering.Sort(items, item => new PyList([.. keys.Select(key => key(item))]), bound.Truth(1)));
    }

    private static PyList DictSort(Arguments given)
    {
        var bound = given.Bind("dictsort", 1, "value", "case_sensitive", "by", "reverse");
        var by = bound.Has(2) ? bound.Text(2).Value : "key";
        if (by is not ("key" or "value"))
        {
            throw new TemplateException("You can only sort by either \"key\" or \"value\"");
        }

        var dict = bound[0] as PyDict ?? throw bound.Wrong(0, "a mapping");
        var sorted = Ordering.Sort(
            dict.Entries,
            entry => (by == "key" ? entry.Key : entry.Value) is var key && bound.Truth(1) ? key : Fold(key),
            bound.Truth(3)
        );
        return new PyList([.. sorted.Select(entry => new PyTuple([entry.Key, entry.Value]))]);
    }

    private static PyList GroupBy(Machine machine, Arguments given)
    {
        var bound = given.Bind("groupby", 2, "value", "attribute", "default", "case_sensitive");
        var get = Getter(bound[1], bound[2]);
        var isCased = bound.Truth(3);
        Func<object?, object?> key = item => isCased ? get(item) : Fold(get(item));
        var sorted = Ordering.Sort(machine.ListOf(Items.Of(bound[0])).Items, key, isReverse: false);
        var groups = new List<(object? Key, List<object?> Members)>();
        foreach (var item in sorted)
        {
            if (groups.Count == 0 || !Comparison.AreEqual(groups[^1].Key, key(item)))
            {
                groups.Add((key(item), []));
            }

            groups[^1].Members.Add(item);
        }

        return new PyList([
            .. groups.Select(group => new PyTuple(
                [isCased ? group.Key : get(group.Members[0]), new PyList(group.Members)],
                "grouper",
                "list"
            )),
        ]);
    }

    private static object? Extreme(Machine machine, Arguments given, string name, int sign)
    {
        var bound = given.Bind(name, 1, "value", "case_sensitive", "attribute");
        var key = Key(bound[2], bound.Truth(1));
        object? best = null;
        var isEmpty = true;
        foreach (var item in Items.Of(bound[0]))
        {
            machine.Budget.Step();
            if (isEmpty || Math.Sign(Comparison.Order(key(item), key(best), sign > 0 ? ">" : "<") ?? 0) == sign)
            {
                best = item;
            }

            isEmpty = false;
        }

        return isEmpty ? new Undefined("No aggregated item, sequence was empty.") : best;
    }

    private static IEnumerable<object?> Unique(Machine machine, IEnumerable<object?> items, Func<object?, object?> key)
    {
        var seen = new HashSet<object>(KeyComparer.Instance);
        foreach (var item in items)
        {
            machine.Budget.Step();
            var found = key(item);
            KeyComparer.RequireHashable(found);
            if (seen.Add(found ?? KeyComparer.None))
            {
                yield return item;
            }
        }
    }

    private static Generator Batch(Machine machine, Arguments given)
    {
        var bound = given.Bind("batch", 2, "value", "linecount", "fill_with");
        var (size, fill) = (bound.Int(1, 0), bound[2]);
        return new Generator(List());

        IEnumerable<object?> List()
        {
            var batch = new List<object?>();
            foreach (var item in Items.Of(bound[0]))
            {
                machine.Budget.Step();
                if (batch.Count == size)
                {
                    yield return new PyList(batch);
                    batch = [];
                }

                batch.Add(item);
            }

            if (batch.Count > 0)
            {
                var missing = fill is null ? 0 : Math.Max(0, size - batch.Count);
                machine.Budget.Step(missing);
                batch.AddRange(Enumerable.Repeat(fill, missing));
                yield return new PyList(batch);
            }
        }
    }

    private static Generator Slice(Machine machine, Arguments given)
    {
        var bound = given.Bind("slice", 2, "value", "slices", "fill_with");
        var (count, fill) = (bound.Int(1, 0), bound[2]);
        return new Generator(List());

        IEnumerable<object?> List()
        {
            var items = machine.ListOf(Items.Of(bound[0])).Items;
            if (count == 0)
            {
                throw new TemplateException("integer division or modulo by zero");
            }

            var (size, larger) = (items.Count / count, items.Count % count);
            var place = 0;
            for (var i = 0; i < count; i++)
            {
                machine.Budget.Step();
                var length = size + (i < larger ? 1 : 0);
                List<object?> part = [.. items.Skip(place).Take(length)];
                place += length;
                if (fill is not null && i >= larger)
                {
                    part.Add(fill);
                }

                yield return new PyList(part);
            }
        }
    }
}
