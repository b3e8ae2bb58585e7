using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dsde.Contracts;

/// <summary>
/// Command: generate a completion, or several. Sent to the exchange <see cref="QueueNames.GenerationJobs"/>, as a MassTransit envelope or
/// as a raw JSON body. Exactly one of <see cref="Prompt"/> and <see cref="Messages"/> is set. Workers take messages of at most 4 MiB unless
/// they are configured otherwise, and no property twice.
/// </summary>
public sealed record SubmitGenerationJob
{
    /// <summary>Identifies the job. The same id with the same content is the same job, however often it is sent.</summary>
    public required Guid JobId { get; init; }

    /// <summary>The batch the job belongs to; null for a job on its own.</summary>
    public Guid? BatchId { get; init; }

    /// <summary>
    /// How many jobs the batch has, at least 1; null if the batch was registered otherwise, or nobody need be told when it is complete. The
    /// first job of a batch that says so registers it. No part of what makes two jobs the same.
    /// </summary>
    public int? BatchJobCount { get; init; }

    /// <summary>
    /// The submitter's own name for the job, unique within its batch; at most 512 characters, none of them a control character.
    /// </summary>
    public string? CustomId { get; init; }

    /// <summary>
    /// Alias of the model, as the configuration of workers names it; at most 256 characters. Never a path. A message may leave it out where
    /// its routing key, or the workers' default, says it.
    /// </summary>
    public required string Model { get; init; }

    /// <summary>
    /// What to continue: a text of any characters but NUL, the ids of tokens (as they stand: none is put before them), or a list of such
    /// prompts. Of several, each has <see cref="ChoiceCount"/> outputs, one prompt's after the other's; 128 in all at most.
    /// </summary>
    public JobPrompts? Prompt { get; init; }

    /// <summary>The chat to answer, at most 4096 turns; the model folder's chat template makes a prompt of it.</summary>
    public IReadOnlyList<ChatMessage>? Messages { get; init; }

    /// <summary>
    /// The tools that a chat's assistant may call, at most 1024, as OpenAI has them: the chat template shows them to the model. A template
    /// that does not refuses the job.
    /// </summary>
    public IReadOnlyList<JsonElement>? Tools { get; init; }

    /// <summary>
    /// Texts that a chat is about, at most 4096 objects, with what the chat template wants of each (often <c>title</c> and <c>text</c>). A
    /// template that shows none of them refuses the job.
    /// </summary>
    public IReadOnlyList<JsonElement>? Documents { get; init; }

    /// <summary>
    /// Further variables of the chat template, for example <c>enable_thinking</c>, at most 64: those that it reads, and none that it gets
    /// otherwise.
    /// </summary>
    public IReadOnlyDictionary<string, JsonElement>? ChatTemplateKwargs { get; init; }

    /// <summary>
    /// Most tokens to generate, at least 1; null for what the context leaves (plain prompts: 16, as in the OpenAI interface).
    /// </summary>
    public int? MaxTokens { get; init; }

    /// <summary>Sampling temperature, 0 to 2; below 0.00001 it is greedy; null for the model's default, otherwise 1.</summary>
    public double? Temperature { get; init; }

    /// <summary>Nucleus mass, above 0 to 1; 1 is off; null for the model's default, otherwise off.</summary>
    public double? TopP { get; init; }

    /// <summary>Number of most probable tokens kept; 0 for all; null for the model's default, otherwise all.</summary>
    public int? TopK { get; init; }

    /// <summary>
    /// Tokens at least this fraction as probable as the most probable one are kept, 0 to 1; 0 for all; null for the model's default,
    /// otherwise all.
    /// </summary>
    public double? MinP { get; init; }

    /// <summary>
    /// Logits of tokens in the prompt or output are divided by it where positive and multiplied where negative, 0.01 to 100; 1 is off;
    /// null for the model's default, otherwise off.
    /// </summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>Subtracted from the logit of every token in the output, -2 to 2; null for 0 (off).</summary>
    public double? PresencePenalty { get; init; }

    /// <summary>Subtracted from a token's logit once per occurrence in the output, -2 to 2; null for 0 (off).</summary>
    public double? FrequencyPenalty { get; init; }

    /// <summary>Added to the logits of some tokens: token id to -100 to 100; null for none.</summary>
    public IReadOnlyDictionary<string, double>? LogitBias { get; init; }

    /// <summary>At most 16 strings of 1 to 1024 characters, without NUL; the output ends before the first of them.</summary>
    public IReadOnlyList<string>? Stop { get; init; }

    /// <summary>At most 256 tokens that end the output besides the model's own; null for none.</summary>
    public IReadOnlyList<int>? StopTokenIds { get; init; }

    /// <summary>Whether the model's end tokens are taken for ordinary ones; null for no.</summary>
    public bool? IgnoreEos { get; init; }

    /// <summary>
    /// What outputs are held to, as OpenAI has it: <c>{"type": "json_schema", "json_schema": {"schema": …}}</c>,
    /// <c>{"type": "json_object"}</c> or <c>{"type": "text"}</c>; besides <c>{"type": "regex", "regex": …}</c> and
    /// <c>{"type": "choice", "choice": […]}</c>. Null for any text. Not with <see cref="IgnoreEos"/>.
    /// </summary>
    public JsonElement? ResponseFormat { get; init; }

    /// <summary>
    /// A JSON Schema that outputs are held to, as an object or as its text: another way to say <see cref="ResponseFormat"/>, as the next
    /// two
    /// are. At most one of the four is given.
    /// </summary>
    public JsonElement? GuidedJson { get; init; }

    /// <summary>A regular expression that the whole of an output matches, of at most 16384 characters.</summary>
    public string? GuidedRegex { get; init; }

    /// <summary>Texts one of which an output is, 1 to 1024 of at most 1024 characters.</summary>
    public IReadOnlyList<string>? GuidedChoice { get; init; }

    /// <summary>Completions of each prompt, 1 to 128, each with a seed of its own that follows from the job's; null for 1.</summary>
    public int? ChoiceCount { get; init; }

    /// <summary>Seed of the job's random draws; null for one that the worker picks and stores.</summary>
    public long? Seed { get; init; }

    /// <summary>
    /// How proposals are accepted when the temperature is above 0: <c>rejection</c> or <c>coupled</c>; null for the worker's default.
    /// </summary>
    public string? SamplingMode { get; init; }

    /// <summary>
    /// Speculation policy of this job, for example <c>dsde</c>, <c>static:4</c> or <c>autoregressive</c>; null for the worker's default.
    /// </summary>
    public string? Policy { get; init; }

    /// <summary>
    /// Where this job's proposals come from: <c>draft</c>, <c>lookup</c> (the job's own prompt and output) or <c>both</c>; null for the
    /// worker's default.
    /// </summary>
    public string? Proposer { get; init; }

    /// <summary>Jobs of higher priority are taken into the engine first; null for 0.</summary>
    public int? Priority { get; init; }

    /// <summary>
    /// The job is not started after this moment, and ends at it with what there is; without an offset it is UTC; null for no limit.
    /// </summary>
    [JsonConverter(typeof(InstantConverter))]
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>
    /// The submitter's own labels; <c>workload</c> groups jobs in reports. At most 16 entries, labels of at most 64 characters and values
    /// of at most 512; no control characters but tabs and line ends in values.
    /// </summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Whether the result carries the log-probability of every emitted token; null for no.</summary>
    public bool? ReturnLogProbabilities { get; init; }

    /// <summary>
    /// How many of the most probable tokens the result carries at each position, with their log-probabilities, 0 to 20; null for 0.
    /// </summary>
    public int? TopLogProbabilityCount { get; init; }

    /// <summary>
    /// Whether log-probabilities come with the ids of their tokens alone, without what the tokens stand for; null for no.
    /// </summary>
    public bool? ReturnTokensAsTokenIds { get; init; }

    /// <summary>Whether the result carries token ids; null for no.</summary>
    public bool? ReturnTokenIds { get; init; }
}
