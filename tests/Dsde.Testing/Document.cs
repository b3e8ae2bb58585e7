using System.Text.RegularExpressions;

namespace Dsde.Testing;

/// <summary>A document of the repository in Markdown: its headings, links and commands.</summary>
/// <param name="path">From the root of the sources.</param>
public sealed partial class Document(string path)
{
    private readonly string _text = File.ReadAllText(Repository.PathOf(path));

    /// <summary>All documents for people.</summary>
    public static IReadOnlyList<Document> All { get; } =
    [
        .. new[] { "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "models/README.md", "helm/dsde/README.md" }
            .Concat(
                Directory.GetFiles(Repository.PathOf("docs"), "*.md").Select(file => System.IO.Path.GetRelativePath(Repository.Root, file))
            )
            .Select(path => new Document(path)),
    ];

    /// <summary>From the root of the sources.</summary>
    public string Path => path;

    /// <summary>Names of its headings as links have them: small letters, hyphens for spaces, a number for a name that was there
    /// before.</summary>
    public IReadOnlySet<string> Anchors
    {
        get
        {
            var anchors = new HashSet<string>();
            foreach (Match heading in Headings().Matches(Fences().Replace(_text, "")))
            {
                var name = NoLetters().Replace(heading.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-');
                for (var (number, anchor) = (0, name); !anchors.Add(anchor); )
                {
                    anchor = $"{name}-{++number}";
                }
            }

            return anchors;
        }
    }

    /// <summary>Targets of its links.</summary>
    public IReadOnlyList<string> Links => [.. LinkTargets().Matches(Fences().Replace(_text, "")).Select(match => match.Groups[1].Value)];

    /// <summary>Its blocks of commands for a shell, with the mark in the line before each; empty if there is none.</summary>
    public IReadOnlyList<(string Mark, string Commands)> Blocks =>
        [.. Shells().Matches(_text).Select(match => (match.Groups["mark"].Value, match.Groups["commands"].Value))];

    /// <summary>Commands of the program, in blocks, in indented lines and in the text: what would be typed, without comments.</summary>
    public IReadOnlyList<string> Commands =>
        [
            .. Blocks
                .SelectMany(block => Continued().Replace(block.Commands, "").Split('\n'))
                .Concat(Indented().Matches(Fences().Replace(_text, "")).Select(match => match.Groups[1].Value))
                .Concat(Spans().Matches(Fences().Replace(_text, "")).Select(match => match.Groups[1].Value))
                .Select(line => Comment().Replace(line, "").TrimEnd(' ', '&'))
                .Where(line => Program().IsMatch(line))
                .Select(line => Program().Replace(line, "")),
        ];

    /// <inheritdoc/>
    public override string ToString() => path;

    [GeneratedRegex(@"^#+ (.+?)\s*$", RegexOptions.Multiline)]
    private static partial Regex Headings();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoLetters();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex LinkTargets();

    [GeneratedRegex(@"^```.*?^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fences();

    [GeneratedRegex(@"(<!-- (?<mark>[^\n]*) -->\n)?^```bash\n(?<commands>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Shells();

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continued();

    [GeneratedRegex(@"^    ((\./)?dsde [^\n─]*)$", RegexOptions.Multiline)]
    private static partial Regex Indented();

    [GeneratedRegex(@"`((\./)?dsde [^`]+)`")]
    private static partial Regex Spans();

    [GeneratedRegex(@"(  | #).*$")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^(\./)?dsde ")]
    private static partial Regex Program();
}
