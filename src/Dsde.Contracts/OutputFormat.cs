using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dsde.Contracts;

/// <summary>
/// What a job's outputs are held to. Jobs ask for it by <see cref="SubmitGenerationJob.ResponseFormat"/>, or in the words of other servers;
/// stored and compared is the first.
/// </summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">The schema in JSON, the expression, or the list of texts in JSON; empty for <see cref="OutputKind.JsonObject"/>.
/// </param>
public readonly record struct OutputFormat(OutputKind Kind, string Text)
{
    private static readonly JsonSerializerOptions AsIs = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const string SchemaType = "json_schema";
    private const string ObjectType = "json_object";
    private const string RegexType = "regex";
    private const string ChoiceType = "choice";

    /// <summary>The format that a job asks for, and by which property; null for any text.</summary>
    /// <param name="job">A job without mistakes.</param>
    public static (OutputFormat Format, string Property)? Find(SubmitGenerationJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return Read(job.ResponseFormat) is { } format ? (format, nameof(job.ResponseFormat))
            : job.GuidedJson is { } schema ? (new OutputFormat(OutputKind.JsonSchema, TextOf(schema)), nameof(job.GuidedJson))
            : job.GuidedRegex is { } expression ? (new OutputFormat(OutputKind.Regex, expression), nameof(job.GuidedRegex))
            : job.GuidedChoice is { } texts
                ? (new OutputFormat(OutputKind.Choice, JsonSerializer.Serialize(texts, AsIs)), nameof(job.GuidedChoice))
            : null;
    }

    /// <summary>The same job, with all that it says about its format in <see cref="SubmitGenerationJob.ResponseFormat"/>.</summary>
    internal static SubmitGenerationJob Normalize(SubmitGenerationJob job)
    {
        JsonElement? canonical;
        try
        {
            canonical = Find(job) is var (format, _) ? format.Write() : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return job; // it has mistakes, and is stored as it came
        }

        return canonical is null && job.ResponseFormat is { } given && !IsText(given)
            ? job
            : job with
            {
                ResponseFormat = canonical,
                GuidedJson = null,
                GuidedRegex = null,
                GuidedChoice = null,
            };
    }

    /// <summary>What is wrong with <see cref="SubmitGenerationJob.ResponseFormat"/>; null if nothing is.</summary>
    /// <param name="name">What the property is called.</param>
    /// <param name="format">Its value.</param>
    internal static string? FindMistake(string name, JsonElement format)
    {
        if (format.ValueKind != JsonValueKind.Object)
        {
            return FieldForm.Wrong(name, "an object with a type", format, showsText: false);
        }

        var type = StringOf(format, "type");
        if (type is not ("text" or ObjectType or SchemaType or RegexType or ChoiceType))
        {
            return $"{name} has {(format.TryGetProperty("type", out var given) ? $"the type {FieldForm.Show(given, true)}" : "no type")}; "
                + "give {\"type\": \"json_schema\", \"json_schema\": {\"name\": …, \"schema\": …}}, {\"type\": \"json_object\"} or "
                + "{\"type\": \"text\"}.";
        }

        return FindStranger(name, format, type is "text" or ObjectType ? ["type"] : ["type", type])
            ?? type switch
            {
                SchemaType => format.TryGetProperty(SchemaType, out var wrapper) && wrapper.ValueKind == JsonValueKind.Object
                    ? FindStranger($"{name}.{SchemaType}", wrapper, ["name", "description", "schema", "strict"])
                        ?? (IsSchema(wrapper) ? null : $"{name}.{SchemaType} has no schema; give one, as an object.")
                    : $"{name} has no {SchemaType}; give {{\"name\": …, \"schema\": …}}.",
                RegexType => StringOf(format, RegexType) is { Length: > 0 } ? null : $"{name} has no {RegexType}; give an expression.",
                ChoiceType => format.TryGetProperty(ChoiceType, out var texts)
                && texts.ValueKind == JsonValueKind.Array
                && texts.EnumerateArray().All(text => text.ValueKind == JsonValueKind.String)
                    ? null
                    : $"{name} has no {ChoiceType}; give a list of texts.",
                _ => null,
            };
    }

    /// <summary>A schema that is given as a text is the text's.</summary>
    private static string TextOf(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.String ? schema.GetString() ?? "" : schema.GetRawText();

    private static bool IsText(JsonElement format) => StringOf(format, "type") == "text";

    private static bool IsSchema(JsonElement wrapper) =>
        wrapper.TryGetProperty("schema", out var schema)
        && schema.ValueKind is JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False;

    private static string? FindStranger(string name, JsonElement value, string[] known) =>
        value.EnumerateObject().Select(entry => entry.Name).FirstOrDefault(entry => !known.Contains(entry, StringComparer.Ordinal))
            is { } stranger
            ? UnknownField.Describe(stranger, known, $"{name}.")
            : null;

    private static string? StringOf(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()
            : null;

    private static OutputFormat? Read(JsonElement? format) =>
        format is not { } value
            ? null
            : StringOf(value, "type") switch
            {
                ObjectType => new OutputFormat(OutputKind.JsonObject, ""),
                SchemaType => new OutputFormat(OutputKind.JsonSchema, value.GetProperty(SchemaType).GetProperty("schema").GetRawText()),
                RegexType => new OutputFormat(OutputKind.Regex, value.GetProperty(RegexType).GetString() ?? ""),
                ChoiceType => new OutputFormat(OutputKind.Choice, value.GetProperty(ChoiceType).GetRawText()),
                _ => null,
            };

    /// <summary>As <see cref="SubmitGenerationJob.ResponseFormat"/> has it; names and descriptions change no output, and are left out.
    /// </summary>
    private JsonElement Write()
    {
        var written = Kind switch
        {
            OutputKind.JsonObject => new JsonObject { ["type"] = ObjectType },
            OutputKind.JsonSchema => new JsonObject
            {
                ["type"] = SchemaType,
                [SchemaType] = new JsonObject { ["schema"] = JsonNode.Parse(Text) },
            },
            OutputKind.Regex => new JsonObject { ["type"] = RegexType, [RegexType] = Text },
            _ => new JsonObject { ["type"] = ChoiceType, [ChoiceType] = JsonNode.Parse(Text) },
        };
        return JsonSerializer.SerializeToElement(written);
    }
}
