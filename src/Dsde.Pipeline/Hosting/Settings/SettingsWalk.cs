using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;

namespace Dsde.Pipeline.Hosting.Settings;

/// <summary>Compares what is set in a section with the properties of its options.</summary>
/// <param name="origins">Say where settings come from.</param>
/// <param name="section">Its name, as it is written.</param>
/// <param name="options">Type of its options.</param>
internal sealed class SettingsWalk(SettingOrigins origins, string section, Type options)
{
    private readonly PropertyInfo[] _properties = options.GetProperties();

    public IEnumerable<string> FindMistakes(IConfigurationSection found)
    {
        var children = found.GetChildren().ToList();
        if (children.Count == 0 && found.Value is not null)
        {
            yield return $"{section} has a value{origins.Of(found)}, but it is a section; set its keys, as "
                + $"{section}:{_properties[0].Name}.";
        }

        foreach (var child in children)
        {
            var property = _properties.FirstOrDefault(property => property.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase));
            if (property is null)
            {
                // Its value is not repeated: it may be a password under a misspelt name.
                yield return $"{section}:{child.Key} is not a setting{origins.Of(child)}; "
                    + SettingNames.Suggest($"{section}:{child.Key}", _properties.Select(known => $"{section}:{known.Name}"));
            }
            else if (FindMistake(property, child) is { } mistake)
            {
                yield return mistake;
            }
        }
    }

    private string? FindMistake(PropertyInfo property, IConfigurationSection found)
    {
        var key = $"{section}:{property.Name}";
        var entries = found.GetChildren().ToList();
        if (property.PropertyType.IsArray)
        {
            return entries.Count == 0 && !string.IsNullOrEmpty(found.Value)
                    ? $"{SettingNames.Name(key, property, found.Value)}{origins.Of(found)}; it is a list, set {key}:0 "
                        + $"({SettingOrigins.ToVariable($"{key}:0")} in the environment) and so on."
                : entries.Find(entry => !int.TryParse(entry.Key, out _)) is { } odd
                    ? $"{key}:{odd.Key} is not an entry of a list{origins.Of(odd)}; entries are {key}:0, {key}:1 and so on."
                : null;
        }

        if (entries.Count > 0)
        {
            return $"{key}:{entries[0].Key} is not a setting{origins.Of(entries[0])}; {key} is one.";
        }

        return found.Value is { } value && !IsAllowed(property, value)
            ? $"{SettingNames.Name(key, property, value)}{origins.Of(found)}; {SettingNames.Allowed(property)}"
            : null;
    }

    private static bool IsAllowed(PropertyInfo property, string value)
    {
        object? converted;
        try
        {
            converted = TypeDescriptor.GetConverter(property.PropertyType).ConvertFromInvariantString(value);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or NotSupportedException)
        {
            return false;
        }

        return property
            .GetCustomAttributes<ValidationAttribute>()
            .Where(attribute => attribute is not RequiredAttribute)
            .All(attribute => attribute.IsValid(converted));
    }
}
