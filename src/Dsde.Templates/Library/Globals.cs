using System.Numerics;
using Dsde.Templates.Operators;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>Functions that templates have without being given them: Jinja's, and the two that transformers adds.</summary>
internal static class Globals
{
    public static readonly Dictionary<string, Function> All = new Function[]
    {
        new("range", (machine, given) => Range(machine, given)),
        new("dict", Dict),
        new("namespace", Namespace),
        new(
            "cycler",
            (_, given) =>
                given.Positional.Count > 0 && given.Named.Count == 0
                    ? new Cycler(given.Positional)
                    : throw new TemplateException("at least one item has to be provided")
        ),
        new("joiner", (_, given) => Joiner(given.Bind("joiner", 0, "sep"))),
        new("lipsum", (_, _) => throw new TemplateException("lipsum() is not supported")),
        new(
            "raise_exception",
            (machine, given) =>
                throw new TemplateException(machine.Show(given.Bind("raise_exception", 1, "message")[0]).Value)
                {
                    IsRaisedByTemplate = true,
                }
        ),
        new(
            "strftime_now",
            (machine, given) =>
                Text.FromData(Dates.Format(given.Bind("strftime_now", 1, "format").Text(0).Value, machine.Time.GetLocalNow()))
        ),
    }.ToDictionary(function => function.Name, StringComparer.Ordinal);

    private static PyRange Range(Machine machine, Arguments given)
    {
        var bound = given.Bind("range", 1, "/start", "/stop", "/step");
        var numbers = Enumerable
            .Range(0, given.Positional.Count)
            .Select(i => Numbers.ToIndex(bound[i]) ?? throw bound.Wrong(i, "a whole number"))
            .ToList();
        machine.Budget.Step();
        return numbers.Count == 1
            ? new PyRange(BigInteger.Zero, numbers[0], BigInteger.One)
            : new PyRange(numbers[0], numbers[1], numbers.Count == 3 ? numbers[2] : BigInteger.One);
    }

    private static PyDict Dict(Machine machine, Arguments given)
    {
        var dict = new PyDict();
        if (given.Positional.Count > 1)
        {
            throw new TemplateException("dict expected at most 1 argument");
        }

        foreach (var (key, value) in given.Positional.SelectMany(source => machine.PairsOf(source)))
        {
            dict.Set(key, value);
        }

        foreach (var (name, value) in given.Named)
        {
            dict.Set(Text.FromTemplate(name), value);
        }

        return dict;
    }

    private static Namespace Namespace(Machine machine, Arguments given)
    {
        var names = new Namespace();
        foreach (var (key, value) in Dict(machine, given).Entries)
        {
            names.Attributes[(key as Text ?? throw new TemplateException("a namespace's attributes have names")).Value] = value;
        }

        return names;
    }

    private static Function Joiner(Bound bound)
    {
        var separator = bound.Or(0, Text.FromTemplate(", "));
        var isUsed = false;
        return new Function(
            "joiner",
            (_, given) =>
            {
                given.Bind("joiner", 0);
                var wasUsed = isUsed;
                isUsed = true;
                return wasUsed ? separator : Text.Empty;
            }
        );
    }
}
