namespace Dsde.Contracts;

/// <summary>
/// Command: generate one completion. Sent to the queue <see cref="QueueNames.GenerationJobs"/>, as a MassTransit envelope or as a raw JSON body.
/// Exactly one of <see cref="Prompt"/> and <see cref="Messages"/> is set.
/// </summary>
public sealed record SubmitGenerationJob
{
    /// <summary>Identifies the job. The same id with the same content is the same job, however often it is sent.</summary>
    public required Guid JobId { get; init; }

    /// <summary>The batch the job belongs to; null for a job on its own.</summary>
    public Guid? BatchId { get; init; }

    /// <summary>The submitter's own name for the job, unique within its batch; at most 512 characters.</summary>
    public string? CustomId { get; init; }

    /// <summary>Alias of the model, as the worker's configuration names it.</summary>
    public required string Model { get; init; }

    /// <summary>The text to continue.</summary>
    public string? Prompt { get; init; }

    /// <summary>The chat to answer; the model folder's chat template makes a prompt of it.</summary>
    public IReadOnlyList<ChatMessage>? Messages { get; init; }

    /// <summary>Most tokens to generate, at least 1; null for what the context leaves (plain prompts: 16, as in the OpenAI interface).</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Sampling temperature, 0 to 2; 0 is greedy; null for 1.</summary>
    public double? Temperature { get; init; }

    /// <summary>Nucleus mass, above 0 to 1; null for 1 (off).</summary>
    public double? TopP { get; init; }

    /// <summary>Number of most probable tokens kept, at least 1; null or 0 for all.</summary>
    public int? TopK { get; init; }

    /// <summary>At most 16 strings, none empty; the output ends before the first of them.</summary>
    public IReadOnlyList<string>? Stop { get; init; }

    /// <summary>Seed of the job's random draws; null for one that the worker picks and stores.</summary>
    public long? Seed { get; init; }

    /// <summary>How proposals are accepted when the temperature is above 0: <c>rejection</c>; null for the worker's default.</summary>
    public string? SamplingMode { get; init; }

    /// <summary>Speculation policy of this job, for example <c>dsde</c>, <c>static:4</c> or <c>autoregressive</c>; null for the worker's default.</summary>
    public string? Policy { get; init; }

    /// <summary>Jobs of higher priority are taken into the engine first; null for 0.</summary>
    public int? Priority { get; init; }

    /// <summary>The job is not started after this moment; null for no limit.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The submitter's own labels; <c>workload</c> groups jobs in reports. At most 16 entries.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Whether the result carries the log-probability of every emitted token; null for no.</summary>
    public bool? ReturnLogProbabilities { get; init; }

    /// <summary>Whether the result carries token ids; null for no.</summary>
    public bool? ReturnTokenIds { get; init; }
}
