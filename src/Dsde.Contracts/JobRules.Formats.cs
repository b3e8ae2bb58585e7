using System.Text.Json;

namespace Dsde.Contracts;

/// <summary>
/// What holds for what outputs are held to. Whether a schema is supported is the worker's to say, who makes something of it.
/// </summary>
public static partial class JobRules
{
    private const int MaxGuidedTexts = 1024;
    private const int MaxExpressionLength = 16 << 10;

    private static JobMistake? FindUnstorableInFormat(SubmitGenerationJob job, Func<string, Func<string, string?>, JobMistake?> find) =>
        find(
            nameof(job.ResponseFormat),
            name => job.ResponseFormat is { } format ? JsonValues.FindMistake(name, format) ?? OutputFormat.FindMistake(name, format) : null
        )
        ?? find(nameof(job.GuidedJson), name => job.GuidedJson is { } schema ? CheckSchema(name, schema) : null)
        ?? find(nameof(job.GuidedRegex), name => job.GuidedRegex is { } expression ? CheckExpression(name, expression) : null)
        ?? find(nameof(job.GuidedChoice), name => job.GuidedChoice is { } texts ? CheckChoices(name, texts) : null);

    private static JobMistake? FindBadFormat(SubmitGenerationJob job, Func<string, string> nameOf)
    {
        (string Property, bool IsGiven)[] ways =
        [
            (nameof(job.ResponseFormat), job.ResponseFormat is not null),
            (nameof(job.GuidedJson), job.GuidedJson is not null),
            (nameof(job.GuidedRegex), job.GuidedRegex is not null),
            (nameof(job.GuidedChoice), job.GuidedChoice is not null),
        ];
        var given = ways.Where(way => way.IsGiven).Select(way => nameOf(way.Property)).ToArray();
        var ignoreEos = nameOf(nameof(job.IgnoreEos));
        return given.Length > 1 ? new JobMistake(given[1], $"{given[1]} is given beside {given[0]}; give one of them.")
            : job.IgnoreEos == true && OutputFormat.Find(job) is not null
                ? new JobMistake(
                    ignoreEos,
                    $"{ignoreEos} is true, but {given[0]} is given: such an output ends where its format says. Leave one of the two out."
                )
            : null;
    }

    private static string? CheckSchema(string field, JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.String)
        {
            return schema.ValueKind is JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False
                ? JsonValues.FindMistake(field, schema)
                : FieldForm.Wrong(field, "a schema: an object, or the text of one", schema, showsText: false);
        }

        if (JsonValues.FindMistake(field, schema) is { } mistake)
        {
            return mistake;
        }

        try
        {
            using var parsed = JsonDocument.Parse(schema.GetString() ?? "");
            return parsed.RootElement.ValueKind == JsonValueKind.String
                ? $"{field} is a text in a text; give a schema as an object."
                : CheckSchema(field, parsed.RootElement);
        }
        catch (JsonException)
        {
            return $"{field} is a text that is no JSON; give a schema as an object.";
        }
    }

    private static string? CheckExpression(string field, string expression) =>
        expression.Length is 0 or > MaxExpressionLength
            ? $"{field} has {expression.Length} characters; give 1 to {MaxExpressionLength}."
            : CheckText(field, expression);

    private static string? CheckChoices(string field, IReadOnlyList<string> texts) =>
        texts.Count is 0 or > MaxGuidedTexts
            ? $"{field} has {texts.Count} texts; give 1 to {MaxGuidedTexts}."
            : texts.Select(text => CheckStop(field, text)).FirstOrDefault(mistake => mistake is not null);
}
