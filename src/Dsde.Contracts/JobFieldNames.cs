using System.Buffers;
using System.Collections.Frozen;
using System.Text.Json;

namespace Dsde.Contracts;

/// <summary>What the fields of a job are called where a job comes from, so that a refusal says what was written.</summary>
public static class JobFieldNames
{
    private static readonly FrozenDictionary<string, string> OpenAiNames = new Dictionary<string, string>
    {
        [nameof(SubmitGenerationJob.ChoiceCount)] = "n",
        [nameof(SubmitGenerationJob.ReturnLogProbabilities)] = "logprobs",
        [nameof(SubmitGenerationJob.TopLogProbabilityCount)] = "top_logprobs",
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, string> OtherSpellings = typeof(SubmitGenerationJob)
        .GetProperties()
        .Select(property => (Given: InBatchFiles(property.Name), Known: InMessages(property.Name)))
        .Where(pair => pair.Given != pair.Known)
        .Append(("max_completion_tokens", InMessages(nameof(SubmitGenerationJob.MaxTokens))))
        .Append(("deadline", InMessages(nameof(SubmitGenerationJob.ExpiresAt))))
        .ToFrozenDictionary(pair => pair.Item1, pair => pair.Item2, StringComparer.OrdinalIgnoreCase);

    private static readonly SearchValues<char> Letters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private static readonly FrozenDictionary<string, string> MessageNames = typeof(SubmitGenerationJob)
        .GetProperties()
        .ToFrozenDictionary(property => InMessages(property.Name), property => InBatchFiles(property.Name));

    /// <summary>In messages: camel case.</summary>
    /// <param name="property">The property's name in <see cref="SubmitGenerationJob"/>.</param>
    public static string InMessages(string property) => JsonNamingPolicy.CamelCase.ConvertName(property);

    /// <summary>In batch files: as OpenAI has it, and in the same manner where it has nothing.</summary>
    /// <param name="property">The property's name in <see cref="SubmitGenerationJob"/>.</param>
    public static string InBatchFiles(string property) =>
        OpenAiNames.GetValueOrDefault(property) ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(property);

    /// <summary>What a worker says about a field of a job, in the words of batch files.</summary>
    /// <param name="message">Begins with the field's name in messages, if it is about one.</param>
    /// <returns>The field's name in batch files, null if there is none, and the message with it.</returns>
    public static (string? Field, string Message) InBatchFileWords(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var end = message.AsSpan().IndexOfAnyExcept(Letters);
        return end > 0 && MessageNames.TryGetValue(message[..end], out var field)
            ? (field, string.Concat(field, message.AsSpan(end)))
            : (null, message);
    }

    /// <summary>The field of a message that a name nobody knows was probably meant to be; null if none is near.</summary>
    /// <param name="given">As it was written.</param>
    /// <param name="known">The fields there are where it stood.</param>
    public static string? FindNearest(string given, IReadOnlyCollection<string> known) =>
        OtherSpellings.TryGetValue(given, out var meant) && known.Contains(meant) ? meant : NearestName.Find(given, known);
}
