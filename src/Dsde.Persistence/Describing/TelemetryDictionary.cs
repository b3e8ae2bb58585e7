using System.Text.RegularExpressions;

namespace Dsde.Persistence.Describing;

/// <summary>
/// What everything in the database means: <c>dictionary.md</c> beside this file, of which docs/telemetry.md is the copy for readers and the
/// comments in PostgreSQL are the copy for whoever sits before the database.
/// </summary>
internal static partial class TelemetryDictionary
{
    private const string Nothing = "–";
    private const string Never = "never";

    /// <summary>Tables, views and functions, in order.</summary>
    public static IReadOnlyList<RelationDescription> Relations { get; } = Parse(Read());

    /// <summary>The text itself.</summary>
    public static string Read()
    {
        using var stream =
            typeof(TelemetryDictionary).Assembly.GetManifestResourceStream("dictionary.md")
            ?? throw new InvalidOperationException("The program lacks its dictionary.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static List<RelationDescription> Parse(string text)
    {
        var relations = new List<RelationDescription>();
        foreach (Match section in Section().Matches(text))
        {
            var rows = Row().Matches(section.Groups["body"].Value);
            relations.Add(
                new RelationDescription(
                    section.Groups["kind"].Value.ToUpperInvariant(),
                    section.Groups["name"].Value,
                    Plain(section.Groups["text"].Value),
                    [.. rows.Select(row => ToColumn(row.Groups["name"].Value, row.Groups["rest"].Value.Split(" | ")))]
                )
            );
        }

        return relations;
    }

    private static ColumnDescription ToColumn(string name, string[] cells) =>
        cells is [var meaning, var unit, var range, var empty]
            ? new ColumnDescription(
                name,
                Plain(meaning),
                unit == Nothing ? null : Plain(unit),
                range == Nothing ? null : Plain(range),
                empty == Never ? null : Plain(empty)
            )
            : throw new FormatException($"The dictionary's row of {name} has {cells.Length} cells beside the name instead of 4.");

    /// <summary>Without the marks of Markdown.</summary>
    private static string Plain(string markdown) => markdown.Replace("`", "", StringComparison.Ordinal).Trim();

    [GeneratedRegex(
        @"^## (?<kind>Table|View|Function) `(?<name>\w+)`\n\n(?<text>[^\n]+)\n(?<body>(?:(?!## )[^\n]*\n)*)",
        RegexOptions.Multiline
    )]
    private static partial Regex Section();

    [GeneratedRegex(@"^\| `(?<name>\w+)` \| (?<rest>.*) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
