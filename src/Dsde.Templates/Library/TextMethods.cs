using System.Numerics;
using System.Text;
using Dsde.Templates.Operators;
using Dsde.Templates.Running;
using Dsde.Templates.Values;

namespace Dsde.Templates.Library;

/// <summary>Python's methods of strings. Parts keep their origins.</summary>
internal static class TextMethods
{
    private static readonly Dictionary<string, Func<Text, Machine, Arguments, object?>> All = new(StringComparer.Ordinal)
    {
        ["capitalize"] = (text, _, given) => Bare(given, "capitalize", text.Respell(Casing.Capitalize(text.Value))),
        ["casefold"] = (text, _, given) => Bare(given, "casefold", text.Respell(Casing.Fold(text.Value))),
        ["center"] = (text, machine, given) => TextPadding.Center(text, given, machine.Budget),
        ["count"] = (text, _, given) => TextSearch.Count(text, given),
        ["endswith"] = (text, _, given) => TextSearch.Affix(text, given, "endswith", isEnd: true),
        ["expandtabs"] = (text, machine, given) => TextPadding.ExpandTabs(text, given, machine.Budget),
        ["find"] = (text, _, given) => TextSearch.Find(text, given, "find", isLast: false, isRequired: false),
        ["format"] = (text, machine, given) => BraceFormat.Apply(text, given.Positional, name => Named(given, name), machine.Budget),
        ["format_map"] = (text, machine, given) =>
        {
            var values = given.Bind("format_map", 1, "/mapping")[0];
            return BraceFormat.Apply(text, [], name => Access.Item(values, Text.FromTemplate(name)), machine.Budget);
        },
        ["index"] = (text, _, given) => TextSearch.Find(text, given, "index", isLast: false, isRequired: true),
        ["isalnum"] = (text, _, given) => Are(text, given, Characters.IsAlphanumeric),
        ["isalpha"] = (text, _, given) => Are(text, given, Rune.IsLetter),
        ["isascii"] = (text, _, given) => Bare(given, "isascii", text.Value.All(char.IsAscii)),
        ["isdecimal"] = (text, _, given) => Are(text, given, Characters.IsDecimal),
        ["isdigit"] = (text, _, given) => Are(text, given, Characters.IsDigit),
        ["isidentifier"] = (text, _, given) => Bare(given, "isidentifier", IsIdentifier(text.Value)),
        ["islower"] = (text, _, given) => HasCase(text, given, Characters.IsLower),
        ["isnumeric"] = (text, _, given) => Are(text, given, Characters.IsNumeric),
        ["isprintable"] = (text, _, given) => Bare(given, "isprintable", text.Value.EnumerateRunes().All(Characters.IsPrintable)),
        ["isspace"] = (text, _, given) => Are(text, given, rune => rune.IsBmp && Characters.IsSpace((char)rune.Value)),
        ["istitle"] = (text, _, given) => Bare(given, "istitle", Casing.IsTitleWords(text.Value)),
        ["isupper"] = (text, _, given) => HasCase(text, given, Characters.IsUpper),
        ["join"] = (text, machine, given) => Join(text, given.Bind("join", 1, "/iterable")[0], machine),
        ["ljust"] = (text, machine, given) => TextPadding.Justify(text, given, isLeft: true, machine.Budget),
        ["lower"] = (text, _, given) => Bare(given, "lower", text.Respell(Casing.Lower(text.Value))),
        ["lstrip"] = (text, _, given) => TextTrimming.Strip(text, given, "lstrip", atStart: true, atEnd: false),
        ["partition"] = (text, _, given) => TextSplitting.Partition(text, given, isLast: false),
        ["removeprefix"] = (text, _, given) =>
            given.Bind("removeprefix", 1, "/prefix").Text(0) is var prefix && text.Value.StartsWith(prefix.Value, StringComparison.Ordinal)
                ? text.Slice(prefix.Length, text.Length - prefix.Length)
                : text,
        ["removesuffix"] = (text, _, given) =>
            given.Bind("removesuffix", 1, "/suffix").Text(0) is var suffix && text.Value.EndsWith(suffix.Value, StringComparison.Ordinal)
                ? text.Slice(0, text.Length - suffix.Length)
                : text,
        ["replace"] = (text, machine, given) =>
        {
            var bound = given.Bind("replace", 2, "/old", "/new", "/count");
            return TextSplitting.Replace(text, bound.Text(0), bound.Text(1), bound.Int(2, -1), machine.Budget);
        },
        ["rfind"] = (text, _, given) => TextSearch.Find(text, given, "rfind", isLast: true, isRequired: false),
        ["rindex"] = (text, _, given) => TextSearch.Find(text, given, "rindex", isLast: true, isRequired: true),
        ["rjust"] = (text, machine, given) => TextPadding.Justify(text, given, isLeft: false, machine.Budget),
        ["rpartition"] = (text, _, given) => TextSplitting.Partition(text, given, isLast: true),
        ["rsplit"] = (text, machine, given) => TextSplitting.Split(text, given, fromEnd: true, machine.Budget),
        ["rstrip"] = (text, _, given) => TextTrimming.Strip(text, given, "rstrip", atStart: false, atEnd: true),
        ["split"] = (text, machine, given) => TextSplitting.Split(text, given, fromEnd: false, machine.Budget),
        ["splitlines"] = (text, machine, given) =>
            TextSplitting.SplitLines(text, given.Bind("splitlines", 0, "keepends").Truth(0), machine.Budget),
        ["startswith"] = (text, _, given) => TextSearch.Affix(text, given, "startswith", isEnd: false),
        ["strip"] = (text, _, given) => TextTrimming.Strip(text, given, "strip", atStart: true, atEnd: true),
        ["swapcase"] = (text, _, given) => Bare(given, "swapcase", text.Respell(Casing.Swap(text.Value))),
        ["title"] = (text, _, given) => Bare(given, "title", text.Respell(Casing.TitleWords(text.Value))),
        ["upper"] = (text, _, given) => Bare(given, "upper", text.Respell(Casing.Upper(text.Value))),
        ["zfill"] = (text, machine, given) => TextPadding.FillZeros(text, given, machine.Budget),
    };

    public static Function? Find(Text text, string name) =>
        All.TryGetValue(name, out var body) ? new Function(name, (machine, given) => body(text, machine, given)) : null;

    /// <summary>Texts with a separator between them.</summary>
    public static Text Join(Text separator, object? items, Machine machine)
    {
        var text = new TextBuilder(machine.Budget);
        var (index, isMarkup) = (0, separator.IsMarkup);
        foreach (var item in Items.Of(items))
        {
            machine.Budget.Step();
            if (index++ > 0)
            {
                text.Append(separator);
            }

            text.Append(
                item as Text ?? throw new TemplateException($"sequence item {index - 1}: expected str instance, {Kind.Of(item)} found")
            );
        }

        return text.ToText().AsMarkup(isMarkup);
    }

    private static object? Named(Arguments given, string name) =>
        given.Named.FirstOrDefault(argument => argument.Key == name) is { Key: not null } found
            ? found.Value
            : throw new TemplateException($"format() misses '{name}'");

    private static object Bare(Arguments given, string name, object result)
    {
        given.Bind(name, 0);
        return result;
    }

    private static object Are(Text text, Arguments given, Func<Rune, bool> test) =>
        Bare(given, "is…", IsGoneThrough(text) && text.Value.EnumerateRunes().All(test));

    private static bool IsGoneThrough(Text text)
    {
        Budget.Current.GoThrough(text);
        return text.Length > 0;
    }

    private static object HasCase(Text text, Arguments given, Func<Rune, bool> test)
    {
        Budget.Current.GoThrough(text);
        var cased = text.Value.EnumerateRunes().Where(Characters.IsCased).ToList();
        return Bare(given, "is…", cased.Count > 0 && cased.TrueForAll(rune => test(rune)));
    }

    private static bool IsIdentifier(string text) =>
        text.Length > 0 && !char.IsDigit(text[0]) && text.All(character => char.IsLetterOrDigit(character) || character == '_');
}
