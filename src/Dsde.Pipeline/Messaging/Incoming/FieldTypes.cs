using System.Text.Json;
using Dsde.Contracts;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>
/// Whether the simple fields of a job have values of their type, in the words that job files are refused with. Of a wrong value only a
/// number is repeated: a text may be anybody's.
/// </summary>
internal static class FieldTypes
{
    private const int LongestShownNumber = 32;

    private static readonly (string Name, Type Type)[] Fields =
    [
        .. typeof(SubmitGenerationJob)
            .GetProperties()
            .Select(property => (property.Name, Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType)),
    ];

    /// <summary>The first field with a value of another type; null if there is none.</summary>
    public static string? FindMistake(KnownFields fields) =>
        Fields
            .Where(field => fields.CountOf(field.Name) == 1)
            .Select(field => FindMistake(JobFieldNames.InMessages(field.Name), field.Type, fields.Find(field.Name)))
            .FirstOrDefault(mistake => mistake is not null);

    private static string? FindMistake(string name, Type type, JsonElement? found)
    {
        if (found is not { } value || value.ValueKind == JsonValueKind.Null || FindExpected(type, value) is not { } expected)
        {
            return null;
        }

        var raw = value.ValueKind == JsonValueKind.Number ? value.GetRawText() : "";
        var shown = value.ValueKind switch
        {
            JsonValueKind.Number when raw.Length <= LongestShownNumber => raw,
            JsonValueKind.Number => "another number",
            JsonValueKind.String => "a string",
            JsonValueKind.Array => "a list",
            JsonValueKind.Object => "an object",
            _ => value.ValueKind == JsonValueKind.True ? "true" : "false",
        };
        return $"{name} must be {expected}, but is {shown}.";
    }

    /// <summary>What a value had to be; null if it is, or is looked at elsewhere.</summary>
    private static string? FindExpected(Type type, JsonElement value) =>
        type == typeof(string) ? Unless(value.ValueKind == JsonValueKind.String, "a string")
        : type == typeof(bool) ? Unless(value.ValueKind is JsonValueKind.True or JsonValueKind.False, "true or false")
        : type == typeof(double) ? Unless(value.ValueKind == JsonValueKind.Number, "a number")
        : type == typeof(long) ? Unless(WholeNumbers.TryRead(value, out _), "a whole number")
        : type == typeof(int) ? FindExpectedInteger(value)
        : type == typeof(IReadOnlyList<JsonElement>) ? Unless(value.ValueKind == JsonValueKind.Array, "a list of objects")
        : type == typeof(IReadOnlyDictionary<string, JsonElement>) ? Unless(value.ValueKind == JsonValueKind.Object, "an object")
        : null;

    private static string? FindExpectedInteger(JsonElement value) =>
        !WholeNumbers.TryRead(value, out var number) ? "a whole number"
        : number is < int.MinValue or > int.MaxValue ? $"between {int.MinValue} and {int.MaxValue}"
        : null;

    private static string? Unless(bool isRight, string expected) => isRight ? null : expected;
}
