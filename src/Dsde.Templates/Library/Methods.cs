using Dsde.Templates.Operators;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>Methods of values. Those that would change a list or a mapping can't be called.</summary>
internal static class Methods
{
    private static readonly string[] ChangeDicts = ["clear", "pop", "popitem", "setdefault", "update"];
    private static readonly string[] ChangeLists = ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"];

    public static bool TryFind(object? value, string name, out object? found)
    {
        Budget.Current.Look(value);
        found = value switch
        {
            Text text => TextMethods.Find(text, name),
            PyDict when ChangeDicts.Contains(name, StringComparer.Ordinal) => Unsafe(value, name),
            PyDict dict => OfDict(dict, name),
            PyList when ChangeLists.Contains(name, StringComparer.Ordinal) => Unsafe(value, name),
            PyList list => name == "copy" ? new Function(name, (_, given) => Without(given, name, list)) : OfSequence(list.Items, name),
            PyTuple tuple => OfSequence(tuple.Items, name),
            LoopState loop => loop.Find(name),
            Cycler cycler => name switch
            {
                "next" => new Function(name, (_, given) => Without(given, name, cycler.Next)),
                "reset" => new Function(name, (_, given) => Without(given, name, cycler.Reset)),
                "current" => new Found(cycler.Current),
                _ => null,
            },
            Macro macro => OfMacro(macro, name),
            PyRange range => name switch
            {
                "start" => range.Start,
                "stop" => range.Stop,
                "step" => range.Step,
                "count" or "index" => new Function(
                    name,
                    (machine, given) => OfSequence(machine.ListOf(Items.Of(range)).Items, name)!.Call(machine, given)
                ),
                _ => null,
            },
            _ => null,
        };
        var isFound = found is not null;
        found = found is Found wrapped ? wrapped.Value : found;
        return isFound;
    }

    private static object? OfMacro(Macro macro, string name) =>
        name switch
        {
            "name" => macro.IsCaller ? new Found(null) : Text.FromTemplate(macro.Name),
            "arguments" => new PyTuple([.. macro.Body.Parameters.Select(parameter => Text.FromTemplate(parameter.Name))]),
            "catch_kwargs" => macro.Body.Mentions.Contains("kwargs"),
            "catch_varargs" => macro.Body.Mentions.Contains("varargs"),
            "caller" => macro.Body.Mentions.Contains("caller"),
            _ => null,
        };

    private static Undefined Unsafe(object? value, string name) =>
        new($"access to attribute '{name}' of '{Kind.Of(value)}' object is unsafe.");

    private static Function? OfDict(PyDict dict, string name) =>
        name switch
        {
            "items" => new Function(name, (_, given) => Without(given, name, () => View(dict, name))),
            "keys" => new Function(name, (_, given) => Without(given, name, () => View(dict, name))),
            "values" => new Function(name, (_, given) => Without(given, name, () => View(dict, name))),
            "copy" => new Function(name, (_, given) => Without(given, name, dict)),
            "get" => new Function(
                name,
                (_, given) =>
                {
                    var bound = given.Bind(name, 1, "/key", "/default");
                    return dict.TryGet(bound[0], out var value) ? value : bound[1];
                }
            ),
            _ => null,
        };

    private static DictView View(PyDict dict, string name) =>
        new(
            $"dict_{name}",
            [
                .. dict.Entries.Select(entry =>
                    name switch
                    {
                        "items" => new PyTuple([entry.Key, entry.Value]),
                        "keys" => entry.Key,
                        _ => entry.Value,
                    }
                ),
            ]
        );

    private static Function? OfSequence(IReadOnlyList<object?> items, string name) =>
        name switch
        {
            "count" => new Function(
                name,
                (_, given) =>
                {
                    var bound = given.Bind(name, 1, "/value");
                    Budget.Current.GoThrough(new PyList(items));
                    return new System.Numerics.BigInteger(items.Count(item => Comparison.AreEqual(item, bound[0])));
                }
            ),
            "index" => new Function(name, (_, given) => IndexOf(items, given)),
            _ => null,
        };

    private static object? IndexOf(IReadOnlyList<object?> items, Arguments given)
    {
        Budget.Current.GoThrough(new PyList(items));
        var bound = given.Bind("index", 1, "/value", "/start", "/stop");
        var start = bound.Int(1, 0);
        var stop = bound.Int(2, items.Count);
        start = start < 0 ? Math.Max(0, start + items.Count) : start;
        stop = stop < 0 ? stop + items.Count : Math.Min(stop, items.Count);
        for (var i = start; i < stop; i++)
        {
            if (Comparison.AreEqual(items[i], bound[0]))
            {
                return new System.Numerics.BigInteger(i);
            }
        }

        throw new TemplateException($"{Representation.Short(bound[0])} is not in list");
    }

    private static object? Without(Arguments given, string name, object? result)
    {
        given.Bind(name, 0);
        return result;
    }

    private static object? Without(Arguments given, string name, Func<object?> result)
    {
        given.Bind(name, 0);
        return result();
    }

    /// <summary>An attribute whose value may be none.</summary>
    internal sealed record Found(object? Value);
}
