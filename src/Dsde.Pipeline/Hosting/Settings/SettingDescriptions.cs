using System.Reflection;
using System.Text.RegularExpressions;

namespace Dsde.Pipeline.Hosting.Settings;

/// <summary>
/// All settings with what the documentation comments of their options say, which is the one place where they are described: the summary is
/// the meaning; the value is what is allowed, then the default in a sentence of its own, then what is to be said of that.
/// </summary>
internal static partial class SettingDescriptions
{
    /// <summary>In the order of the program.</summary>
    /// <exception cref="ExpectedFailureException">The comments are not beside the program.</exception>
    public static IReadOnlyList<SettingDescription> Read() =>
        [
            .. SettingsReader.Sections.SelectMany(section =>
                section.Value.GetProperties().Select(property => Describe(section.Key, property))
            ),
        ];

    /// <summary>What a section is about.</summary>
    public static string MeaningOf(Type options) => DocumentationComments.Of(options).Read($"T:{options.FullName}", "summary");

    private static SettingDescription Describe(string section, PropertyInfo property)
    {
        var options = property.DeclaringType!;
        var comments = DocumentationComments.Of(options);
        var name = $"P:{options.FullName}.{property.Name}";
        var value = Value().Match(comments.Read(name, "value"));
        return new SettingDescription(
            section,
            property,
            $"{comments.Read(name, "summary")} {value.Groups["more"].Value}".TrimEnd(),
            value.Groups["allowed"].Value,
            value.Groups["default"].Value
        );
    }

    [GeneratedRegex(@"^((?<allowed>.*?)\. )?The default is (?<default>.*?)\.( (?<more>.*))?$", RegexOptions.ExplicitCapture)]
    private static partial Regex Value();
}
