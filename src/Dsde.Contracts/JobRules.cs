using System.Collections.Frozen;
using System.Globalization;

namespace Dsde.Contracts;

/// <summary>
/// What holds for every job, whatever the model and wherever the job comes from. What depends on a model is the worker's to check. Lengths
/// are in UTF-16 code units, as .NET counts.
/// </summary>
public static partial class JobRules
{
    private const int MaxChoices = 128; // as OpenAI has it
    private const int MaxTopLogProbabilities = 20;
    private const int MaxStopTokens = 256;
    private const int MaxBiases = 1024;
    private static readonly string[] SamplingModes = ["rejection", "coupled"];

    /// <summary>
    /// What whole numbers may be, by the property's name in <see cref="SubmitGenerationJob"/>: the least and the most. Others may be
    /// whatever their type holds.
    /// </summary>
    public static IReadOnlyDictionary<string, (int Least, int Most)> Ranges { get; } =
        new Dictionary<string, (int Least, int Most)>
        {
            [nameof(SubmitGenerationJob.BatchJobCount)] = (1, int.MaxValue),
            [nameof(SubmitGenerationJob.MaxTokens)] = (1, int.MaxValue),
            [nameof(SubmitGenerationJob.TopK)] = (0, int.MaxValue),
            [nameof(SubmitGenerationJob.ChoiceCount)] = (1, MaxChoices),
            [nameof(SubmitGenerationJob.TopLogProbabilityCount)] = (0, MaxTopLogProbabilities),
        }.ToFrozenDictionary();

    /// <summary>The first mistake of a job; null if there is none.</summary>
    /// <param name="job">The job.</param>
    /// <param name="nameOf">What a property is called where the job comes from: one of <see cref="JobFieldNames"/>.</param>
    public static JobMistake? FindMistake(SubmitGenerationJob job, Func<string, string> nameOf) =>
        FindUnstorable(job, nameOf)
        ?? FindOutOfRange(job, nameOf)
        ?? FindBadToken(job, nameOf)
        ?? FindBadFormat(job, nameOf)
        ?? FindBadPrompt(job, nameOf);

    private static JobMistake? FindOutOfRange(SubmitGenerationJob job, Func<string, string> nameOf)
    {
        (string Property, bool IsRight, object? Value, string Allowed)[] rules =
        [
            (nameof(job.MaxTokens), IsInRange(nameof(job.MaxTokens), job.MaxTokens), job.MaxTokens, "give at least 1, or leave it out"),
            (nameof(job.Temperature), job.Temperature is null or (>= 0 and <= 2), job.Temperature, "give 0 (greedy) to 2"),
            (nameof(job.TopP), job.TopP is null or (> 0 and <= 1), job.TopP, "give more than 0 and at most 1"),
            (nameof(job.TopK), IsInRange(nameof(job.TopK), job.TopK), job.TopK, "give 0 (off) or more"),
            (nameof(job.MinP), job.MinP is null or (>= 0 and <= 1), job.MinP, "give 0 (off) to 1"),
            (
                nameof(job.RepetitionPenalty),
                job.RepetitionPenalty is null or (>= 0.01 and <= 100),
                job.RepetitionPenalty,
                "give 0.01 to 100; 1 is off"
            ),
            (nameof(job.PresencePenalty), job.PresencePenalty is null or (>= -2 and <= 2), job.PresencePenalty, "give -2 to 2; 0 is off"),
            (
                nameof(job.FrequencyPenalty),
                job.FrequencyPenalty is null or (>= -2 and <= 2),
                job.FrequencyPenalty,
                "give -2 to 2; 0 is off"
            ),
            (nameof(job.ChoiceCount), IsInRange(nameof(job.ChoiceCount), job.ChoiceCount), job.ChoiceCount, $"give 1 to {MaxChoices}"),
            (
                nameof(job.TopLogProbabilityCount),
                IsInRange(nameof(job.TopLogProbabilityCount), job.TopLogProbabilityCount),
                job.TopLogProbabilityCount,
                $"give 0 to {MaxTopLogProbabilities}"
            ),
            (
                nameof(job.SamplingMode),
                job.SamplingMode is null || SamplingModes.Contains(job.SamplingMode, StringComparer.Ordinal),
                $"'{job.SamplingMode}'",
                $"give {string.Join(" or ", SamplingModes)}, or leave it out"
            ),
        ];
        if (rules.FirstOrDefault(rule => !rule.IsRight) is { Property: not null } broken)
        {
            var name = nameOf(broken.Property);
            return new JobMistake(name, $"{name} is {Show(broken.Value)}; {broken.Allowed}.");
        }

        return FindContradiction(job, nameOf);
    }

    private static bool IsInRange(string property, int? value) =>
        value is not { } given || given >= Ranges[property].Least && given <= Ranges[property].Most;

    /// <summary>A number that is too large for its type has become infinite, which nobody has written.</summary>
    private static string Show(object? value) =>
        value switch
        {
            double.PositiveInfinity => "beyond 1.8e308",
            double.NegativeInfinity => "below -1.8e308",
            _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        };

    private static JobMistake? FindContradiction(SubmitGenerationJob job, Func<string, string> nameOf)
    {
        var (top, all) = (nameOf(nameof(job.TopLogProbabilityCount)), nameOf(nameof(job.ReturnLogProbabilities)));
        return job.TopLogProbabilityCount is > 0 && job.ReturnLogProbabilities != true
            ? new JobMistake(
                top,
                $"{top} is {job.TopLogProbabilityCount}, but log-probabilities are not asked for; ask for them with {all} as well."
            )
            : null;
    }

    private static JobMistake? FindBadToken(SubmitGenerationJob job, Func<string, string> nameOf)
    {
        var (stops, biases) = (nameOf(nameof(job.StopTokenIds)), nameOf(nameof(job.LogitBias)));
        var wrongBias = job.LogitBias?.FirstOrDefault(bias => bias.Value is not (>= -100 and <= 100));
        return job.StopTokenIds is { Count: > MaxStopTokens }
                ? new JobMistake(stops, $"{stops} has {job.StopTokenIds.Count} tokens; give at most {MaxStopTokens}.")
            : job.LogitBias is { Count: > MaxBiases }
                ? new JobMistake(biases, $"{biases} has {job.LogitBias.Count} tokens; give at most {MaxBiases}.")
            : wrongBias is { Key: not null } wrong
                ? new JobMistake(biases, $"{biases} of token {wrong.Key} is {Show(wrong.Value)}; give -100 to 100.")
            : null;
    }

    /// <summary>What a prompt is called where there may be several.</summary>
    /// <param name="field">What the field is called.</param>
    /// <param name="prompts">All of the job's.</param>
    /// <param name="index">Which.</param>
    public static string NameOfPrompt(string field, JobPrompts prompts, int index)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        return prompts.Count == 1 ? field : string.Create(CultureInfo.InvariantCulture, $"{field}[{index}]");
    }

    private static JobMistake? FindBadPrompt(SubmitGenerationJob job, Func<string, string> nameOf)
    {
        var (prompt, messages) = (nameOf(nameof(job.Prompt)), nameOf(nameof(job.Messages)));
        return job switch
        {
            { Prompt: null, Messages: null } => new JobMistake(prompt, $"Neither {prompt} nor {messages} is given; give one of them."),
            { Prompt: not null, Messages: not null } => new JobMistake(
                prompt,
                $"Both {prompt} and {messages} are given; give one of them."
            ),
            { Messages.Count: 0 } => new JobMistake(messages, $"{messages} is empty; give at least one."),
            { Prompt: { } prompts } when FindBadPrompt(prompt, prompts, job.ChoiceCount ?? 1) is { } mistake => new JobMistake(
                prompt,
                mistake
            ),
            _ => FindBadChat(job, nameOf),
        };
    }

    private static string? FindBadPrompt(string field, JobPrompts prompts, int choiceCount)
    {
        var empty = prompts.Index().FirstOrDefault(prompt => prompt.Item is { Text: "" } or { TokenIds.Count: 0 });
        return prompts.Count == 0 ? $"{field} has no prompt; give at least one."
            : empty.Item is { } found
                ? $"{NameOfPrompt(field, prompts, empty.Index)} is empty; give at least one {(found.Text is null ? "token" : "character")}."
            : prompts.Count * choiceCount > MaxChoices
                ? $"{field} has {prompts.Count} prompts{(choiceCount > 1 ? $" of {choiceCount} outputs each" : "")}; "
                    + $"give at most {MaxChoices} outputs in all."
            : null;
    }
}
