using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using Dsde.Templates.Operators;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>Jinja's filters on single values. The first argument is what is filtered.</summary>
internal static partial class Filters
{
    private static readonly Dictionary<string, Func<Machine, Arguments, object?>> All = new(StringComparer.Ordinal)
    {
        ["abs"] = (_, given) => Abs(given.Bind("abs", 1, "/x")[0]),
        ["attr"] = (_, given) =>
        {
            var bound = given.Bind("attr", 2, "obj", "name");
            return bound[0] is Undefined undefined ? throw undefined.Refuse()
                : Access.TryAttribute(bound[0], bound.Text(1).Value, out var found) ? found
                : Undefined.Missing(bound[0], bound[1]);
        },
        ["capitalize"] = (machine, given) =>
            Shown(machine, given, "capitalize") is var text ? text.Respell(Casing.Capitalize(text.Value)) : null,
        ["center"] = (machine, given) =>
        {
            var bound = given.Bind("center", 1, "value", "width");
            return TextPadding.Center(machine.Show(bound[0]), bound.Int(1, 80), Text.FromData(" "), machine.Budget);
        },
        ["count"] = (_, given) => Length(given),
        ["d"] = (_, given) => Default(given),
        ["default"] = (_, given) => Default(given),
        ["e"] = (machine, given) => Escape(machine, given, isForced: false),
        ["escape"] = (machine, given) => Escape(machine, given, isForced: false),
        ["float"] = (_, given) => ToFloat(given),
        ["forceescape"] = (machine, given) => Escape(machine, given, isForced: true),
        ["format"] = (machine, given) =>
            PercentFormat.Apply(
                machine.Show(given.Positional[0]),
                given.Named.Count == 0 ? new PyTuple([.. given.Positional.Skip(1)])
                    : given.Positional.Count == 1 ? Machine.DictOf(given.Named)
                    : throw new TemplateException("can't handle positional and keyword arguments at the same time"),
                machine.Budget
            ),
        ["indent"] = Indent,
        ["int"] = (_, given) => ToInt(given),
        ["length"] = (_, given) => Length(given),
        ["lower"] = (machine, given) => Shown(machine, given, "lower") is var text ? text.Respell(Casing.Lower(text.Value)) : null,
        ["replace"] = (machine, given) =>
        {
            var bound = given.Bind("replace", 3, "s", "old", "new", "count");
            var (text, old, replacement) = (machine.Show(bound[0]), machine.Show(bound[1]), machine.Show(bound[2]));
            var count = bound[3] is null ? -1 : bound.Int(3, -1);
            return TextSplitting.Replace(text.AsMarkup(false), old, replacement, count, machine.Budget);
        },
        ["round"] = (_, given) => Rounding.Round(given),
        ["safe"] = (machine, given) => Shown(machine, given, "safe").AsMarkup(),
        ["string"] = (machine, given) => Shown(machine, given, "string"),
        ["title"] = (machine, given) => Shown(machine, given, "title") is var text ? text.Respell(Title(text.Value)) : null,
        ["tojson"] = Json.Write,
        ["trim"] = (machine, given) =>
        {
            var bound = given.Bind("trim", 1, "value", "chars");
            return TextTrimming.Strip(machine.Show(bound[0]), bound.TextOrNone(1));
        },
        ["truncate"] = Truncate,
        ["upper"] = (machine, given) => Shown(machine, given, "upper") is var text ? text.Respell(Casing.Upper(text.Value)) : null,
        ["wordcount"] = (machine, given) => CountWords(Shown(machine, given, "wordcount").Value),
    };

    /// <summary>Filters that are known but not done, as what they make is of no use in a chat.</summary>
    private static readonly string[] Refused =
    [
        "filesizeformat",
        "pprint",
        "random",
        "striptags",
        "urlencode",
        "urlize",
        "wordwrap",
        "xmlattr",
    ];

    public static bool Has(string name) => All.ContainsKey(name) || SequenceFilters.All.ContainsKey(name);

    public static object? Apply(string name, Machine machine, Arguments given) =>
        All.TryGetValue(name, out var filter) || SequenceFilters.All.TryGetValue(name, out filter) ? filter(machine, given)
        : Refused.Contains(name, StringComparer.Ordinal) ? throw new TemplateException($"The filter '{name}' is not supported.")
        : throw new TemplateException($"No filter named '{name}'.");

    private static Text Shown(Machine machine, Arguments given, string name) => machine.Show(given.Bind(name, 1, "value")[0]);

    private static object Length(Arguments given) => new BigInteger(Items.Count(given.Bind("length", 1, "/obj")[0]));

    private static object? Default(Arguments given)
    {
        var bound = given.Bind("default", 1, "value", "default_value", "boolean");
        return bound[0] is Undefined || (bound.Truth(2) && !Truth.Of(bound[0])) ? bound.Or(1, Text.Empty) : bound[0];
    }

    private static object Abs(object? value) =>
        value switch
        {
            double number => Math.Abs(number),
            Undefined undefined => throw undefined.Refuse(),
            _ => BigInteger.Abs(Numbers.ToIndex(value) ?? throw new TemplateException($"bad operand type for abs(): '{Kind.Of(value)}'")),
        };

    private static Text Escape(Machine machine, Arguments given, bool isForced)
    {
        var text = Shown(machine, given, "escape");
        return text.IsMarkup && !isForced ? text : Html.Escape(text, machine.Budget);
    }

    private static object? ToFloat(Arguments given)
    {
        var bound = given.Bind("float", 1, "value", "default");
        return bound[0] is Undefined undefined ? throw undefined.Refuse() : NumberReading.ReadFloat(bound[0]) ?? bound.Or(1, 0.0);
    }

    private static object? ToInt(Arguments given)
    {
        var bound = given.Bind("int", 1, "value", "default", "base");
        return bound[0] is Undefined undefined
            ? throw undefined.Refuse()
            : NumberReading.ReadInt(bound[0], bound.Int(2, 10)) ?? bound.Or(1, BigInteger.Zero);
    }

    private static BigInteger CountWords(string text)
    {
        var (count, isInside) = (0, false);
        foreach (var rune in text.EnumerateRunes())
        {
            var isWord = rune.Value == '_' || Characters.IsAlphanumeric(rune);
            count += isWord && !isInside ? 1 : 0;
            isInside = isWord;
        }

        return count;
    }

    private static string Title(string text) =>
        string.Concat(
            WordBeginnings()
                .Split(text)
                .Where(part => part.Length > 0)
                .Select(part => CodePoints.SizeAt(part, 0) is var size ? Casing.Upper(part[..size]) + Casing.Lower(part[size..]) : "")
        );

    private static Text Indent(Machine machine, Arguments given)
    {
        var bound = given.Bind("indent", 1, "s", "width", "first", "blank");
        if (bound[0] is not Text source)
        {
            throw bound.Wrong(0, "a string");
        }

        var width = bound[1] as Text ?? Text.FromTemplate(new string(' ', Math.Clamp(bound.Int(1, 4), 0, 1 << 16)));
        var newLine = Text.FromTemplate("\n");
        var lines = TextSplitting.SplitLines(Arithmetic.Join(source, newLine, machine.Budget), keepsEnds: false, machine.Budget).Items;
        var result = new TextBuilder(machine.Budget);
        for (var i = 0; i < lines.Count; i++)
        {
            var line = (Text)lines[i]!;
            result.Append(i == 0 ? Text.Empty : newLine);
            result.Append(
                i == 0
                    ? bound.Truth(2)
                        ? width
                        : Text.Empty
                    : line.Length > 0 || bound.Truth(3)
                        ? width
                        : Text.Empty
            );
            result.Append(line);
        }

        return result.ToText().AsMarkup(source.IsMarkup);
    }

    private static object? Truncate(Machine machine, Arguments given)
    {
        var bound = given.Bind("truncate", 1, "s", "length", "killwords", "end", "leeway");
        var (length, end) = (bound.Int(1, 255), bound.Has(3) ? bound.Text(3) : Text.FromTemplate("..."));
        var leeway = bound[4] is null ? 5 : bound.Int(4, 5);
        var room = length - CodePoints.Count(end.Value);
        if (room < 0 || leeway < 0)
        {
            throw new TemplateException($"truncate wants at least {CodePoints.Count(end.Value)} as length, and a leeway of at least 0");
        }

        if (Items.Count(bound[0]) <= (long)length + leeway)
        {
            return bound[0];
        }

        var text = bound.Text(0);
        var cut = CodePoints.Slice(text, 0, room);
        var space = bound.Truth(2) ? -1 : cut.Value.LastIndexOf(' ');
        return Arithmetic.Join(space >= 0 ? cut.Slice(0, space) : cut, end, machine.Budget);
    }

    [GeneratedRegex(@"([-\s\x1C-\x1F({\[<]+)")]
    private static partial Regex WordBeginnings();
}
