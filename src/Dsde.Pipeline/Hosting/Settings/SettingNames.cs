using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Dsde.Contracts;

namespace Dsde.Pipeline.Hosting.Settings;

/// <summary>Words about settings for people.</summary>
internal static class SettingNames
{
    /// <summary>The nearest of the known keys, or all of them.</summary>
    public static string Suggest(string given, IEnumerable<string> known)
    {
        var keys = known.ToList();
        var prefix = given[..(given.LastIndexOf(':') + 1)];
        var nearest = NearestName.Find(given[prefix.Length..], keys.Select(key => key[(key.LastIndexOf(':') + 1)..]));
        return nearest is not null
            ? $"the nearest is {keys.First(key => key.EndsWith($":{nearest}", StringComparison.Ordinal))}."
            : $"there are {string.Join(", ", keys)}.";
    }

    /// <summary>Key and value; the value of a secret is not said.</summary>
    public static string Name(string key, PropertyInfo? property, string? value) =>
        property?.GetCustomAttribute<PasswordPropertyTextAttribute>() is { Password: true } ? $"{key} is wrong" : $"{key} is '{value}'";

    /// <summary>What may be set instead.</summary>
    /// <param name="property">The setting.</param>
    /// <param name="failure">What was found wrong; null if only the type or an attribute can be.</param>
    public static string Allowed(PropertyInfo? property, ValidationResult? failure = null)
    {
        if (property?.GetCustomAttribute<RangeAttribute>() is { } range)
        {
            var number = range.OperandType == typeof(double) ? "number" : "whole number";
            return string.Create(CultureInfo.InvariantCulture, $"give a {number} from {range.Minimum} to {range.Maximum}.");
        }

        return property?.PropertyType == typeof(bool)
            ? "give true or false."
            : failure?.ErrorMessage
                ?? property
                    ?.GetCustomAttributes<ValidationAttribute>()
                    .FirstOrDefault(attribute => attribute is not RequiredAttribute)
                    ?.FormatErrorMessage(property.Name)
                ?? $"give a {property?.PropertyType.Name}.";
    }
}
