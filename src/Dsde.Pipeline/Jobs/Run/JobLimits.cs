using System.Buffers;
using System.Globalization;
using Dsde.Contracts;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Run;

/// <summary>
/// Limits that hold whatever the model: checked before a job is claimed, so that the database sees nothing else. Lengths are in UTF-16 code
/// units, as .NET counts.
/// </summary>
internal static class JobLimits
{
    public const int MaxCustomIdLength = 512;
    private const int MaxModelLength = 256;
    private const int MaxNameLength = 64; // of a policy, a sampling mode, a role, a label; as OpenAI has it for metadata
    private const int MaxLabelLength = 512; // as OpenAI has it
    private const int MaxLabels = 16; // as OpenAI has it
    private const int MaxMessages = 4096;
    private const int MaxStops = 16;
    private const int MaxStopLength = 1024;
    private static readonly SearchValues<char> Controls = SearchValues.Create([
        .. Enumerable.Range(0, 0xA0).Select(code => (char)code).Where(char.IsControl),
    ]);

    /// <summary>What is wrong, in words a person understands; null if nothing is.</summary>
    public static string? Check(SubmitGenerationJob job) =>
        CheckCustomId(job.CustomId)
        ?? CheckBatch(job)
        ?? CheckName("model", job.Model, MaxModelLength)
        ?? CheckName("policy", job.Policy, MaxNameLength)
        ?? CheckName("sampling_mode", job.SamplingMode, MaxNameLength)
        ?? CheckMetadata(job.Metadata)
        ?? CheckNumbers(job)
        ?? CheckText("prompt", job.Prompt)
        ?? CheckMessages(job.Messages)
        ?? CheckStops(job.Stop);

    /// <summary>What is wrong with the submitter's name for a job; null if nothing is.</summary>
    public static string? CheckCustomId(string? customId) => CheckName("custom_id", customId, MaxCustomIdLength);

    /// <summary>Whether a text can be shown and stored as it is.</summary>
    public static bool IsPlain(string text) => !text.AsSpan().ContainsAny(Controls);

    private static string? CheckName(string field, string? value, int longest) =>
        value is null ? null
        : value.Length > longest ? $"{field} has {value.Length} characters; give at most {longest}."
        : IsPlain(value) ? null
        : $"{field} has a control character; leave it out.";

    private static string? CheckBatch(SubmitGenerationJob job) =>
        job.BatchJobCount is < 1 ? $"batch_job_count is {job.BatchJobCount}; give how many jobs the batch has, or leave it out."
        : job.BatchJobCount is not null && job.BatchId is null
            ? $"batch_job_count is {job.BatchJobCount}, but batch_id is missing; give both, or neither."
        : null;

    /// <summary>A number too large for the type is infinite, which can't be written down again.</summary>
    private static string? CheckNumbers(SubmitGenerationJob job)
    {
        (string Field, double? Value)[] numbers =
        [
            ("temperature", job.Temperature),
            ("top_p", job.TopP),
            ("min_p", job.MinP),
            ("repetition_penalty", job.RepetitionPenalty),
            ("presence_penalty", job.PresencePenalty),
            ("frequency_penalty", job.FrequencyPenalty),
            .. job.LogitBias?.Values.Select(bias => ("logit_bias", (double?)bias)) ?? [],
        ];
        var wrong = numbers.FirstOrDefault(number => number.Value is { } value && !double.IsFinite(value)).Field;
        return wrong is null ? null : $"{wrong} has a number that is not finite; give one in the field's range.";
    }

    private static string? CheckMetadata(IReadOnlyDictionary<string, string>? metadata)
    {
        if (metadata is { Count: > MaxLabels })
        {
            return $"metadata has {metadata.Count} entries; give at most {MaxLabels}.";
        }

        foreach (var (label, value) in metadata ?? new Dictionary<string, string>())
        {
            if (
                (
                    CheckName("A label of metadata", label, MaxNameLength)
                    ?? (value is null ? $"metadata has null for '{label}'; leave the label out." : CheckValue(label, value))
                ) is
                { } mistake
            )
            {
                return mistake;
            }
        }

        return null;
    }

    private static string? CheckValue(string label, string value) =>
        value.Length > MaxLabelLength ? $"metadata has {value.Length} characters for '{label}'; give at most {MaxLabelLength}."
        : value.Any(character => char.IsControl(character) && character is not ('\t' or '\n' or '\r'))
            ? $"metadata has a control character for '{label}'; leave it out."
        : null;

    /// <summary>Prompts may have any characters but NUL, which databases and tokenizers take for the end of a text.</summary>
    private static string? CheckText(string field, string? text) =>
        text?.IndexOf('\0', StringComparison.Ordinal) is >= 0 and var place
            ? string.Create(CultureInfo.InvariantCulture, $"{field} has a NUL character at position {place}; leave it out.")
            : null;

    private static string? CheckMessages(IReadOnlyList<ChatMessage>? messages)
    {
        if (messages is { Count: > MaxMessages })
        {
            return $"messages has {messages.Count} turns; give at most {MaxMessages}.";
        }

        foreach (var message in messages ?? [])
        {
            if (
                (
                    message is null
                        ? "messages has a turn that is null; leave it out."
                        : CheckName("A role of messages", message.Role, MaxNameLength) ?? CheckText("A turn of messages", message.Content)
                ) is
                { } mistake
            )
            {
                return mistake;
            }
        }

        return null;
    }

    private static string? CheckStops(IReadOnlyList<string>? stops)
    {
        if (stops is { Count: > MaxStops })
        {
            return $"stop has {stops.Count} strings; give at most {MaxStops}.";
        }

        foreach (var stop in stops ?? [])
        {
            if (
                (
                    string.IsNullOrEmpty(stop) ? "stop has an empty string; leave it out."
                    : stop.Length > MaxStopLength ? $"stop has a string of {stop.Length} characters; give at most {MaxStopLength}."
                    : CheckText("A string of stop", stop)
                ) is
                { } mistake
            )
            {
                return mistake;
            }
        }

        return null;
    }
}
