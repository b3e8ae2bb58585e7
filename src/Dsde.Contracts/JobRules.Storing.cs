using System.Buffers;
using System.Globalization;

namespace Dsde.Contracts;

/// <summary>What a database, a header or a terminal can take: checked before anything else sees a job.</summary>
public static partial class JobRules
{
    /// <summary>Most characters of <see cref="SubmitGenerationJob.CustomId"/>.</summary>
    public const int MaxCustomIdLength = 512;
    private const int MaxModelLength = 256;
    private const int MaxNameLength = 64; // of a policy, a proposer, a sampling mode, a role, a label; as OpenAI has it for metadata
    private const int MaxLabelLength = 512; // as OpenAI has it
    private const int MaxLabels = 16; // as OpenAI has it
    private const int MaxStops = 16;
    private const int MaxStopLength = 1024;
    private const int MaxShownLength = 32;
    private static readonly SearchValues<char> Controls = SearchValues.Create([
        .. Enumerable.Range(0, 0xA0).Select(code => (char)code).Where(char.IsControl),
    ]);

    /// <summary>The first value of a job that can't be stored as it is; null if there is none.</summary>
    /// <param name="job">The job.</param>
    /// <param name="nameOf">What a property is called where the job comes from: one of <see cref="JobFieldNames"/>.</param>
    public static JobMistake? FindUnstorable(SubmitGenerationJob job, Func<string, string> nameOf)
    {
        JobMistake? In(string property, Func<string, string?> check)
        {
            var name = nameOf(property);
            return check(name) is { } message ? new JobMistake(name, message) : null;
        }

        return In(nameof(job.CustomId), name => CheckName(name, job.CustomId, MaxCustomIdLength))
            ?? In(nameof(job.BatchJobCount), name => CheckBatch(name, nameOf(nameof(job.BatchId)), job))
            ?? In(nameof(job.Model), name => CheckName(name, job.Model, MaxModelLength))
            ?? In(nameof(job.Policy), name => CheckName(name, job.Policy, MaxNameLength))
            ?? In(nameof(job.Proposer), name => CheckName(name, job.Proposer, MaxNameLength))
            ?? In(nameof(job.SamplingMode), name => CheckName(name, job.SamplingMode, MaxNameLength))
            ?? In(nameof(job.Metadata), name => CheckMetadata(name, job.Metadata))
            ?? In(nameof(job.LogitBias), name => CheckTokens(name, job.LogitBias))
            ?? FindInfinite(job, nameOf)
            ?? In(nameof(job.Prompt), name => CheckPrompts(name, job.Prompt))
            ?? FindUnstorableInChat(job, nameOf, In)
            ?? In(nameof(job.Stop), name => CheckStops(name, job.Stop))
            ?? FindUnstorableInFormat(job, In);
    }

    /// <summary>Whether a text is one that <see cref="SubmitGenerationJob.CustomId"/> may be.</summary>
    public static bool IsCustomId(string text) => text.Length <= MaxCustomIdLength && IsPlain(text);

    /// <summary>Whether a text has no control characters, so that it can be shown and stored as it is.</summary>
    public static bool IsPlain(string text) => !text.AsSpan().ContainsAny(Controls);

    private static string? CheckName(string field, string? value, int longest) =>
        value is null ? null
        : value.Length > longest ? $"{field} has {value.Length} characters; give at most {longest}."
        : IsPlain(value) ? null
        : $"{field} has a control character; leave it out.";

    private static string? CheckBatch(string field, string batchField, SubmitGenerationJob job) =>
        !IsInRange(nameof(job.BatchJobCount), job.BatchJobCount)
            ? $"{field} is {job.BatchJobCount}; give how many jobs the batch has, or leave it out."
        : job.BatchJobCount is not null && job.BatchId is null
            ? $"{field} is {job.BatchJobCount}, but {batchField} is missing; give both, or neither."
        : null;

    /// <summary>A number too large for the type is infinite, which can't be written down again and is in no range.</summary>
    private static JobMistake? FindInfinite(SubmitGenerationJob job, Func<string, string> nameOf)
    {
        IEnumerable<double?> numbers =
        [
            job.Temperature,
            job.TopP,
            job.MinP,
            job.RepetitionPenalty,
            job.PresencePenalty,
            job.FrequencyPenalty,
            .. job.LogitBias?.Values.Select(bias => (double?)bias) ?? [],
        ];
        return numbers.All(number => number is null || double.IsFinite(number.Value))
            ? null
            : FindOutOfRange(job, nameOf) ?? FindBadToken(job, nameOf);
    }

    /// <summary>As numbers are written, so that no token is named twice.</summary>
    private static string? CheckTokens(string field, IReadOnlyDictionary<string, double>? biases) =>
        biases?.Keys.FirstOrDefault(text =>
            !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            || text != id.ToString(CultureInfo.InvariantCulture)
        )
            is { } wrong
            ? $"{field} has the token '{(wrong.Length <= MaxShownLength && IsPlain(wrong) ? wrong : "...")}'; give token ids, from 0 on."
            : null;

    private static string? CheckMetadata(string field, IReadOnlyDictionary<string, string>? metadata) =>
        metadata is { Count: > MaxLabels }
            ? $"{field} has {metadata.Count} entries; give at most {MaxLabels}."
            : metadata?.Select(entry => CheckLabel(field, entry.Key, entry.Value)).FirstOrDefault(mistake => mistake is not null);

    private static string? CheckLabel(string field, string label, string? value) =>
        CheckName($"A label of {field}", label, MaxNameLength)
        ?? (
            value is null ? $"{field} has null for '{label}'; leave the label out."
            : value.Length > MaxLabelLength ? $"{field} has {value.Length} characters for '{label}'; give at most {MaxLabelLength}."
            : value.Any(character => char.IsControl(character) && character is not ('\t' or '\n' or '\r'))
                ? $"{field} has a control character for '{label}'; leave it out."
            : null
        );

    private static string? CheckPrompts(string field, JobPrompts? prompts) =>
        prompts
            ?.Select((prompt, index) => CheckText(NameOfPrompt(field, prompts, index), prompt.Text))
            .FirstOrDefault(mistake => mistake is not null);

    /// <summary>Texts may have any characters but NUL, which databases and tokenizers take for the end of a text.</summary>
    private static string? CheckText(string field, string? text) =>
        text?.IndexOf('\0', StringComparison.Ordinal) is >= 0 and var place
            ? string.Create(CultureInfo.InvariantCulture, $"{field} has a NUL character at position {place}; leave it out.")
            : null;

    private static string? CheckStops(string field, IReadOnlyList<string>? stops) =>
        stops is { Count: > MaxStops }
            ? $"{field} has {stops.Count} strings; give at most {MaxStops}."
            : stops?.Select(stop => CheckStop(field, stop)).FirstOrDefault(mistake => mistake is not null);

    private static string? CheckStop(string field, string? stop) =>
        string.IsNullOrEmpty(stop) ? $"{field} has an empty string; leave it out."
        : stop.Length > MaxStopLength ? $"{field} has a string of {stop.Length} characters; give at most {MaxStopLength}."
        : CheckText($"A string of {field}", stop);
}
