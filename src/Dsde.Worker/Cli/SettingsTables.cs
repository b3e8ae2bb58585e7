using System.Text.RegularExpressions;
using Dsde.Pipeline.Hosting.Settings;

namespace Dsde.Worker.Cli;

/// <summary>All settings in Markdown: a part of docs/configuration.md, which eng/configuration.sh puts there.</summary>
internal static partial class SettingsTables
{
    /// <summary>A table for each section.</summary>
    public static string Write(IReadOnlyList<SettingDescription> settings) =>
        string.Join(
            "\n\n",
            SettingsReader.Sections.Select(section =>
                string.Join('\n', Table(section.Key, section.Value, settings.Where(setting => setting.Section == section.Key)))
            )
        );

    private static IEnumerable<string> Table(string section, Type options, IEnumerable<SettingDescription> settings) =>
        [
            $"### {section}",
            "",
            SettingDescriptions.MeaningOf(options),
            "",
            "| setting, and in the environment | type | allowed | default | meaning |",
            "|---|---|---|---|---|",
            .. settings.Select(setting =>
                $"| `{setting.Key}`<br>`{setting.Variable}` | {setting.Type} | {Cell(setting.Allowed)} | {Cell(setting.Default)} "
                + $"| {Cell(setting.Meaning)} |"
            ),
        ];

    /// <summary>A text for a cell; documents that it names become links from their own folder.</summary>
    private static string Cell(string text) => Documents().Replace(text.Replace("|", "\\|", StringComparison.Ordinal), "[$1]($1$2)");

    [GeneratedRegex(@"docs/([\w-]+\.md)(#[\w-]+)?")]
    private static partial Regex Documents();
}
