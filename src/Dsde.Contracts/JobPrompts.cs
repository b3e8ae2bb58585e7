using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dsde.Contracts;

/// <summary>
/// What a job continues: a text, tokens, or several of these. In JSON as OpenAI's completions have it: a string, a list of token ids, or a
/// list of strings and of lists of token ids. A list of one is the same as what is in it. Two are equal if they say the same.
/// </summary>
[JsonConverter(typeof(Converter))]
public sealed class JobPrompts : IReadOnlyList<JobPrompt>, IEquatable<JobPrompts>
{
    private readonly IReadOnlyList<JobPrompt> _prompts;

    /// <param name="prompts">In order.</param>
    public JobPrompts(params IReadOnlyList<JobPrompt> prompts) => _prompts = prompts;

    /// <inheritdoc/>
    public int Count => _prompts.Count;

    /// <inheritdoc/>
    public JobPrompt this[int index] => _prompts[index];

    /// <summary>The text of a single prompt that is one; null otherwise.</summary>
    public string? Text => _prompts is [{ Text: { } text }] ? text : null;

    /// <summary>A text.</summary>
    public static implicit operator JobPrompts?(string? text) => text is null ? null : FromString(text);

    /// <summary>A text.</summary>
    public static JobPrompts FromString(string text) => new(JobPrompt.OfText(text));

    /// <summary>Tokens.</summary>
    public static JobPrompts FromTokenIds(IReadOnlyList<int> ids) => new(JobPrompt.OfTokenIds(ids));

    /// <inheritdoc/>
    public IEnumerator<JobPrompt> GetEnumerator() => _prompts.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public bool Equals(JobPrompts? other) => other is not null && _prompts.SequenceEqual(other._prompts);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as JobPrompts);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Count, Count > 0 ? _prompts[0] : null);

    /// <summary>Whether a value is several prompts, and not one of tokens.</summary>
    internal static bool AreSeveral(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array
        && value.EnumerateArray().Any(item => item.ValueKind is JsonValueKind.String or JsonValueKind.Array);

    /// <summary>Reads prompts of a form that was looked at before (<see cref="FieldForm.Prompts"/>).</summary>
    /// <exception cref="JsonException">The value is of another form.</exception>
    public static JobPrompts Read(JsonElement value) =>
        AreSeveral(value) ? new([.. value.EnumerateArray().Select(ReadOne)]) : new(ReadOne(value));

    private static JobPrompt ReadOne(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => JobPrompt.OfText(value.GetString() ?? ""),
            JsonValueKind.Array => JobPrompt.OfTokenIds([.. value.EnumerateArray().Select(ReadId)]),
            _ => throw new JsonException(),
        };

    private static int ReadId(JsonElement value) =>
        WholeNumbers.TryRead(value, out var id) && id is >= int.MinValue and <= int.MaxValue ? (int)id : throw new JsonException();

    private sealed class Converter : JsonConverter<JobPrompts>
    {
        public override JobPrompts Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JobPrompts.Read(JsonElement.ParseValue(ref reader));

        public override void Write(Utf8JsonWriter writer, JobPrompts value, JsonSerializerOptions options)
        {
            if (value is [var only])
            {
                Write(writer, only);
                return;
            }

            writer.WriteStartArray();
            foreach (var prompt in value)
            {
                Write(writer, prompt);
            }

            writer.WriteEndArray();
        }

        private static void Write(Utf8JsonWriter writer, JobPrompt prompt)
        {
            if (prompt.TokenIds is not { } ids)
            {
                writer.WriteStringValue(prompt.Text);
                return;
            }

            writer.WriteStartArray();
            foreach (var id in ids)
            {
                writer.WriteNumberValue(id);
            }

            writer.WriteEndArray();
        }
    }
}
