using System.Text.Json;

namespace Dsde.Contracts;

/// <summary>Values of a job that may have any form, for its chat template: what of them nobody could store or read.</summary>
internal static class JsonValues
{
    /// <summary>The first mistake anywhere in a value, with none of its words; null if there is none.</summary>
    /// <param name="place">What the value is called.</param>
    /// <param name="value">The value.</param>
    public static string? FindMistake(string place, JsonElement value)
    {
        try
        {
            return FindMistakeInside(place, value);
        }
        catch (InvalidOperationException)
        {
            // The parser lets broken UTF-8 and lone surrogates pass until a string is asked for.
            return $"{place} has text that is not valid Unicode; give UTF-8, and surrogates in pairs.";
        }
    }

    private static string? FindMistakeInside(string place, JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => FindMistakeInObject(place, value),
            JsonValueKind.Array => value
                .EnumerateArray()
                .Select(item => FindMistakeInside(place, item))
                .FirstOrDefault(found => found is not null),
            JsonValueKind.String => FindNul(place, value.GetString()),
            JsonValueKind.Number => !value.TryGetDouble(out var number) || !double.IsFinite(number)
                ? $"{place} has a number beyond 1.8e308; give a smaller one."
                : null,
            JsonValueKind.Undefined => $"{place} has no value; leave it out.",
            _ => null,
        };

    private static string? FindMistakeInObject(string place, JsonElement value)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in value.EnumerateObject())
        {
            var mistake = names.Add(property.Name)
                ? FindNul(place, property.Name) ?? FindMistakeInside(place, property.Value)
                : $"{place} has an entry twice; give it once.";
            if (mistake is not null)
            {
                return mistake;
            }
        }

        return null;
    }

    private static string? FindNul(string place, string? text) =>
        text?.Contains('\0', StringComparison.Ordinal) == true ? $"{place} has a NUL character; leave it out." : null;
}
