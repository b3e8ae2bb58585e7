using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;

namespace Dsde.Pipeline.Hosting.Settings;

/// <summary>Says where a setting comes from, as one would write it there.</summary>
/// <param name="configuration">All sources.</param>
internal sealed class SettingOrigins(IConfigurationRoot configuration)
{
    /// <summary>Name of the environment variable of a key.</summary>
    public static string ToVariable(string key) => key.Replace(":", "__", StringComparison.Ordinal);

    /// <summary>Of a setting, or of the first below a section, in brackets; empty if its source has no name.</summary>
    public string Of(IConfigurationSection section)
    {
        var set = FirstSet(section);
        return configuration.Providers.LastOrDefault(provider => provider.TryGet(set.Path, out _)) switch
        {
            EnvironmentVariablesConfigurationProvider => $" ({ToVariable(set.Path)} in the environment)",
            JsonConfigurationProvider { Source.Path: { } path } => $" (in {path})",
            _ => "",
        };
    }

    private static IConfigurationSection FirstSet(IConfigurationSection section) =>
        section.Value is null && section.GetChildren().FirstOrDefault() is { } first ? FirstSet(first) : section;
}
