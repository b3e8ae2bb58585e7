using System.Text.Json;

namespace Dsde.Batches.Files.Reading;

/// <summary>When a field that is not supported changes nothing all the same, as clients write many at their defaults.</summary>
/// <param name="Includes">Whether a value changes nothing.</param>
/// <param name="Description">Those values in words, for messages; null if there is none.</param>
internal sealed record NeutralValue(Func<JsonElement, bool> Includes, string? Description)
{
    /// <summary>Every value would change the output.</summary>
    public static readonly NeutralValue None = new(_ => false, null);

    /// <summary>Only <c>false</c>.</summary>
    public static readonly NeutralValue False = new(value => value.ValueKind == JsonValueKind.False, "false");

    /// <summary>Either of <c>true</c> and <c>false</c>, where what it switches is not there.</summary>
    public static readonly NeutralValue Boolean = new(
        value => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "true or false"
    );

    /// <summary>Only an empty list, object or text.</summary>
    public static readonly NeutralValue Empty = new(
        value =>
            value.ValueKind switch
            {
                JsonValueKind.Array => value.GetArrayLength() == 0,
                JsonValueKind.Object => !value.EnumerateObject().Any(),
                JsonValueKind.String => value.GetString() is "",
                _ => false,
            },
        "an empty one"
    );

    /// <summary>Only this number.</summary>
    public static NeutralValue Number(double neutral) =>
        new(
            value => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number == neutral,
            string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{neutral}")
        );

    /// <summary>Only these texts.</summary>
    public static NeutralValue OneOf(params string[] texts) =>
        new(
            value => value.ValueKind == JsonValueKind.String && texts.Contains(value.GetString(), StringComparer.Ordinal),
            string.Join(" or ", texts.Select(text => $"\"{text}\""))
        );

    /// <summary>Only a list that has this one text.</summary>
    public static NeutralValue ListOf(string text) =>
        new(
            value =>
                value.ValueKind == JsonValueKind.Array
                && value.GetArrayLength() == 1
                && value[0].ValueKind == JsonValueKind.String
                && value[0].GetString() == text,
            $"[\"{text}\"]"
        );
}
