using System.Collections;
using System.ComponentModel;
using System.Globalization;
using System.Reflection;

namespace Dsde.Pipeline.Hosting.Settings;

/// <summary>A setting as people are told of it: what its property's own documentation comment says.</summary>
/// <param name="Section">Its section, as <c>Dsde:Engine</c>.</param>
/// <param name="Property">Of the section's options.</param>
/// <param name="Meaning">What it is for.</param>
/// <param name="Allowed">Unit, range and names; empty where the type says it all.</param>
/// <param name="Default">What holds where nothing is set.</param>
internal sealed record SettingDescription(string Section, PropertyInfo Property, string Meaning, string Allowed, string Default)
{
    /// <summary>As it stands in appsettings.json.</summary>
    public string Key => $"{Section}:{Property.Name}";

    /// <summary>Its environment variable; of a list that of the first entry.</summary>
    public string Variable => SettingOrigins.ToVariable(Key) + (Property.PropertyType.IsArray ? "__0" : "");

    /// <summary>What kind of value it takes.</summary>
    public string Type =>
        Property.PropertyType switch
        {
            { IsArray: true } => "list of texts",
            var type when type == typeof(bool) => "true or false",
            var type when type == typeof(int) => "whole number",
            var type when type == typeof(double) => "number",
            _ => "text",
        };

    /// <summary>Whether its value is nobody's to see.</summary>
    public bool IsSecret => Property.GetCustomAttribute<PasswordPropertyTextAttribute>() is { Password: true };

    /// <summary>Its value in some options as it would be written; a list's with commas between, of nothing <c>empty</c>.</summary>
    public string ValueIn(object options) =>
        Property.GetValue(options) switch
        {
            null or "" or Array { Length: 0 } => "empty",
            bool value => value ? "true" : "false",
            string value => value,
            IEnumerable values => string.Join(',', values.Cast<object>()),
            var value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        };
}
