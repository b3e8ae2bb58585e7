using System.Text.Json;
using Dsde.Contracts;

namespace Dsde.Batches.Files.Reading;

/// <summary>
/// Makes a job of a request body. Types and names are checked here, values by the rules of the pipeline; only what depends on the model is
/// left to the worker.
/// </summary>
internal static class RequestBody
{
    /// <param name="element">The body, an object.</param>
    /// <param name="isChat">Which of the two interfaces it is for.</param>
    /// <param name="line">What is known of its line.</param>
    /// <param name="defaults">What the job gets where the body is silent.</param>
    /// <param name="ignored">The fields with which nothing is done.</param>
    /// <exception cref="LineFormatException">It makes no job.</exception>
    public static SubmitGenerationJob ToJob(
        JsonElement element,
        bool isChat,
        BatchFileLine line,
        BatchDefaults defaults,
        out IReadOnlyList<string> ignored
    )
    {
        var body = new JsonFields(element, "body.");
        var model = body.TakeString("model");
        var (withLogProbabilities, topCount) = isChat ? ReadChatLogProbabilities(body) : ReadCompletionLogProbabilities(body);
        var tools = isChat ? ChatTools.Read(body) : ChatTools.None;
        var job = new SubmitGenerationJob
        {
            JobId = line.JobId,
            BatchId = defaults.BatchId,
            CustomId = line.CustomId,
            Model =
                defaults.Model
                ?? model
                ?? defaults.ModelIfSilent
                ?? (defaults.AreForgotten ? "" : throw body.Missing("model", "give the alias of a model")),
            Messages = isChat ? ChatMessages.Read(body) : null,
            Tools = tools.Tools,
            Documents = tools.Documents,
            ChatTemplateKwargs = tools.TemplateVariables,
            Prompt = isChat ? null : ReadPrompt(body),
            MaxTokens = ReadMaxTokens(body),
            Temperature = body.TakeNumber("temperature"),
            TopP = body.TakeNumber("top_p"),
            TopK = body.TakeInteger("top_k", nameof(SubmitGenerationJob.TopK)) switch
            {
                -1 => 0,
                var topK => topK,
            },
            MinP = body.TakeNumber("min_p"),
            RepetitionPenalty = body.TakeNumber("repetition_penalty"),
            PresencePenalty = body.TakeNumber("presence_penalty"),
            FrequencyPenalty = body.TakeNumber("frequency_penalty"),
            LogitBias = ReadMap(body.Take("logit_bias", FieldForm.TokenNumbers), value => value.GetDouble()),
            Stop = ReadStop(body),
            StopTokenIds = body.Take("stop_token_ids", FieldForm.TokenIds) is { } stops ? ToIds(stops) : null,
            IgnoreEos = body.TakeBoolean("ignore_eos"),
            ResponseFormat = body.TakeValue("response_format"),
            GuidedJson = body.TakeValue("guided_json"),
            GuidedRegex = body.TakeString("guided_regex"),
            GuidedChoice = body.Take("guided_choice", FieldForm.Texts) is { } choices
                ? [.. choices.EnumerateArray().Select(text => text.GetString() ?? "")]
                : null,
            ChoiceCount = body.TakeInteger("n", nameof(SubmitGenerationJob.ChoiceCount)),
            Seed = body.TakeLong("seed") ?? (defaults.Seed is { } seed ? unchecked(seed + line.Number) : null),
            SamplingMode = body.TakeString("sampling_mode"),
            Policy = body.TakeString("policy") ?? defaults.Policy,
            Proposer = body.TakeString("proposer") ?? defaults.Proposer,
            Priority = body.TakeInteger("priority", nameof(SubmitGenerationJob.Priority)),
            ExpiresAt =
                body.Take("expires_at", FieldForm.Moment) is { } moment && InstantConverter.TryRead(moment, out var expiry) ? expiry : null,
            Metadata = ReadMap(body.Take("metadata", FieldForm.Labels), value => value.GetString() ?? ""),
            ReturnLogProbabilities = withLogProbabilities,
            TopLogProbabilityCount = topCount,
            ReturnTokensAsTokenIds = body.TakeBoolean("return_tokens_as_token_ids"),
            ReturnTokenIds = body.TakeBoolean("return_token_ids"),
        };
        if (!isChat)
        {
            TakeBestOfAll(body, job.ChoiceCount);
        }

        ignored = (isChat ? KnownFields.ChatBody : KnownFields.CompletionBody).Settle(body);
        return JobRules.FindMistake(job, property => NameOf(property, isChat)) is { } mistake
            ? throw new LineFormatException(new LineError(LineErrorCodes.InvalidValue, mistake.Message, FieldOf(mistake)))
            : job;
    }

    /// <summary>In completions one number says both whether there are log-probabilities and how many.</summary>
    private static string NameOf(string property, bool isChat) =>
        JobFieldNames.InBatchFiles(
            !isChat && property == nameof(SubmitGenerationJob.TopLogProbabilityCount)
                ? nameof(SubmitGenerationJob.ReturnLogProbabilities)
                : property
        );

    private static string FieldOf(JobMistake mistake) =>
        mistake.Field == JobFieldNames.InBatchFiles(nameof(SubmitGenerationJob.CustomId)) ? mistake.Field : $"body.{mistake.Field}";

    private static JobPrompts ReadPrompt(JsonFields body) =>
        JobPrompts.Read(
            body.Take("prompt", FieldForm.Prompts) ?? throw body.Missing("prompt", "give a text, a list of token ids, or a list of these")
        );

    /// <summary>As many as are given back are as many as are made.</summary>
    private static void TakeBestOfAll(JsonFields body, int? choices)
    {
        if (
            choices is { } all
            && body.Left.Any(field => field.Key == "best_of" && WholeNumbers.TryRead(field.Value, out var made) && made == all)
        )
        {
            body.Take("best_of");
        }
    }

    private static int[] ToIds(JsonElement list) =>
        [.. list.EnumerateArray().Select(id => WholeNumbers.TryRead(id, out var number) ? (int)number : 0)];

    private static int? ReadMaxTokens(JsonFields body)
    {
        var older = body.TakeInteger("max_tokens", nameof(SubmitGenerationJob.MaxTokens));
        var newer = body.TakeInteger("max_completion_tokens", nameof(SubmitGenerationJob.MaxTokens));
        return older is not null && newer is not null && older != newer
            ? throw body.Invalid("max_tokens", $"max_tokens is {older}, but max_completion_tokens is {newer}; give one of them.")
            : newer ?? older;
    }

    private static string[]? ReadStop(JsonFields body) =>
        body.Take("stop") switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } one => FieldForm.Text.FindMistake("stop", one) is { } mistake
                ? throw body.Invalid("stop", mistake)
                : [one.GetString() ?? ""],
            { ValueKind: JsonValueKind.Array } many => FieldForm.Texts.FindMistake("stop", many) is { } mistake
                ? throw body.Invalid("stop", mistake)
                : [.. many.EnumerateArray().Select(item => item.GetString() ?? "")],
            { } other => throw body.Wrong("stop", other, "a string or a list of strings"),
        };

    private static Dictionary<string, T>? ReadMap<T>(JsonElement? map, Func<JsonElement, T> read) =>
        map?.EnumerateObject().ToDictionary(entry => entry.Name, entry => read(entry.Value), StringComparer.Ordinal);

    /// <summary>In chats a flag, and a number beside it.</summary>
    private static (bool? Wanted, int? TopCount) ReadChatLogProbabilities(JsonFields body) =>
        (
            body.TakeBoolean("logprobs"),
            body.TakeInteger("top_logprobs", nameof(SubmitGenerationJob.TopLogProbabilityCount)) is { } count and not 0 ? count : null
        );

    /// <summary>In completions one number says both: 0 asks for the chosen token's only.</summary>
    private static (bool? Wanted, int? TopCount) ReadCompletionLogProbabilities(JsonFields body) =>
        body.TakeInteger("logprobs", nameof(SubmitGenerationJob.TopLogProbabilityCount)) switch
        {
            null => (null, null),
            0 => (true, null),
            var count => (true, count),
        };
}
