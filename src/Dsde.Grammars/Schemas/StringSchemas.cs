using System.Text.Json;
using Dsde.Grammars.Automata;
using Dsde.Grammars.Regexes;

namespace Dsde.Grammars.Schemas;

/// <summary>The automata of strings, quotes included.</summary>
internal static class StringSchemas
{
    /// <summary>More than any output has.</summary>
    private const int EndlessLength = 10_000_000;

    // From 0001: there is no year 0 in many a reader's calendar.
    private const string Year = @"(000[1-9]|00[1-9]\d|0[1-9]\d{2}|[1-9]\d{3})";
    private const string LeapYear = @"(\d\d(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)";
    private const string Days = @"((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8]))";
    private const string Date = $"({Year}-{Days}|{LeapYear}-02-29)";
    private const string Time = @"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)";

    private static readonly Dictionary<string, string> Formats = new()
    {
        ["date"] = Date,
        ["time"] = Time,
        ["date-time"] = $"{Date}T{Time}",
        ["uuid"] = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    };

    /// <summary>The automaton of a schema's strings.</summary>
    /// <exception cref="GrammarException">A keyword does not do, or no string matches all of them.</exception>
    public static Terminal Create(SchemaNode schema)
    {
        var (least, most) = (schema.Count("minLength") ?? 0, schema.Count("maxLength"));
        if (least > (most ?? EndlessLength))
        {
            throw new GrammarException(
                schema.PointerOf("minLength"),
                most is null ? "is longer than any output." : $"is {least}, but maxLength is {most}; no string has such a length."
            );
        }

        most = most > EndlessLength ? null : most;
        List<Terminal> all = [];
        if (schema.Child("pattern") is { } pattern)
        {
            all.Add(Compile(pattern, TextOf(pattern), isSearch: true));
        }

        if (schema.Child("format") is { } format)
        {
            var expression = Formats.GetValueOrDefault(TextOf(format));
            all.Add(
                expression is not null
                    ? Compile(format, expression, isSearch: false)
                    : throw format.Mistake(
                        $"is no format that is supported; supported are {string.Join(", ", Formats.Keys)}. Give a pattern instead"
                    )
            );
        }

        if (least > 0 || most is not null || all.Count == 0)
        {
            all.Add(least == 0 && most is null ? BoundedString.Unbounded : new BoundedString(least, most));
        }

        return all.Aggregate((Terminal one, Terminal other) => Intersect(schema, one, other));
    }

    private static ByteDfa Intersect(SchemaNode schema, Terminal one, Terminal other)
    {
        try
        {
            return DfaBuilder.Intersect(one, other) ?? throw schema.Mistake("has no string: its keywords contradict each other");
        }
        catch (TooLargeException)
        {
            throw schema.Mistake("is too large: its pattern and lengths together have too many states. Give shorter lengths");
        }
    }

    private static ByteDfa Compile(SchemaNode place, string expression, bool isSearch)
    {
        try
        {
            var inner = isSearch
                ? RegexParser.ParseSearch(expression, JsonText.Encode)
                : RegexParser.ParseWhole(expression, JsonText.Encode);
            var quote = Pattern.Of("\""u8);
            return PatternCompiler.Compile(Pattern.Join(quote, inner, quote)) ?? throw place.Mistake("matches no string");
        }
        catch (GrammarException mistake) when (mistake.Place != place.Pointer)
        {
            throw new GrammarException(place.Pointer, $"can't be used: {mistake.Message}");
        }
        catch (TooLargeException)
        {
            throw place.Mistake("is too large: its automaton has too many states. Give shorter repetitions");
        }
    }

    private static string TextOf(SchemaNode place) =>
        place.Value.ValueKind == JsonValueKind.String ? place.Value.GetString()! : throw place.Mistake("must be a string");
}
