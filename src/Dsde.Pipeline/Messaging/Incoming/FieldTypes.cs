using System.Reflection;
using System.Text.Json;
using Dsde.Contracts;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>Whether the fields of a message are there once, and have values of their properties' forms.</summary>
internal sealed class FieldTypes
{
    private readonly (string Name, FieldForm Form, bool IsNeeded)[] _fields;

    /// <param name="message">The record that is read.</param>
    public FieldTypes(Type message)
    {
        var nullability = new NullabilityInfoContext();
        _fields =
        [
            .. message
                .GetProperties()
                .Select(property =>
                    (
                        JobFieldNames.InMessages(property.Name),
                        FieldForm.Of(property.Name, property.PropertyType),
                        nullability.Create(property).ReadState == NullabilityState.NotNull
                    )
                ),
        ];
    }

    /// <summary>The first mistake; null if there is none.</summary>
    /// <param name="fields">The fields there are.</param>
    /// <param name="path">Where they stand, for example <c>messages[3].</c>; empty at the top.</param>
    public string? FindMistake(KnownFields fields, string path = "") =>
        _fields
            .Select(field => FindMistake(fields, field.Name, path, field.Form, field.IsNeeded))
            .FirstOrDefault(found => found is not null);

    private static string? FindMistake(KnownFields fields, string name, string path, FieldForm form, bool isNeeded) =>
        fields.CountOf(name) > 1 ? $"{path}{name} is given twice; give it once."
        : fields.Find(name) is { ValueKind: not JsonValueKind.Null } value ? form.FindMistake(path + name, value)
        : isNeeded ? $"{path}{name} is missing; {RemedyOf(name)}."
        : null;

    private static string RemedyOf(string name) =>
        name switch
        {
            "model" => "give the alias of a model",
            "role" => "say who speaks",
            _ => "give one",
        };
}
