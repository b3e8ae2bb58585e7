namespace Dsde.Contracts;

/// <summary>Event: a job has its output, and it is stored. Repeats carry the same message id.</summary>
public sealed record GenerationJobCompleted
{
    /// <summary>The job.</summary>
    public required Guid JobId { get; init; }

    /// <summary>Its batch, if any.</summary>
    public Guid? BatchId { get; init; }

    /// <summary>The submitter's own name for it, if any.</summary>
    public string? CustomId { get; init; }

    /// <summary>Alias of the model.</summary>
    public required string Model { get; init; }

    /// <summary>
    /// The output, of several the first; null above the size limit, when <see cref="TextLocation"/> says where it is, and once it has been
    /// erased.
    /// </summary>
    public string? Text { get; init; }

    /// <summary>Where the output is when it is too large for the event, for example <c>generation_jobs/{job id}</c>.</summary>
    public string? TextLocation { get; init; }

    /// <summary><c>stop</c> (end of text or something the job names) or <c>length</c> (token limit or context).</summary>
    public required string FinishReason { get; init; }

    /// <summary>Tokens used.</summary>
    public required GenerationUsage Usage { get; init; }

    /// <summary>Where the time went. Null if the event is told again after the job's telemetry was removed from the database.</summary>
    public GenerationTimings? Timings { get; init; }

    /// <summary>How speculation went. Null as <see cref="Timings"/>.</summary>
    public SpeculationSummary? Speculation { get; init; }

    /// <summary>Ids of the generated tokens, if the job asked for them.</summary>
    public IReadOnlyList<int>? TokenIds { get; init; }

    /// <summary>Ids of the prompt's tokens, of several prompts the first's, if the job asked for them.</summary>
    public IReadOnlyList<int>? PromptTokenIds { get; init; }

    /// <summary>Log-probability (nats, temperature 1) of every generated token under the target, if the job asked for them.</summary>
    public IReadOnlyList<double>? TokenLogProbabilities { get; init; }

    /// <summary>Per generated token the most probable ones, best first, if the job asked for them.</summary>
    public IReadOnlyList<IReadOnlyList<TopLogProbability>>? TopLogProbabilities { get; init; }

    /// <summary>
    /// What the tokens stand for that have a log-probability in this event, in whichever output: each token once. Null if the job asked
    /// for no log-probabilities, or for ids only.
    /// </summary>
    public IReadOnlyList<TokenBytes>? TokenBytes { get; init; }

    /// <summary>All outputs of a job that has more than one, the first included; null otherwise.</summary>
    public IReadOnlyList<GenerationChoice>? Choices { get; init; }

    /// <summary>The submitter's labels.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>When the result was stored.</summary>
    public required DateTimeOffset CompletedAt { get; init; }
}
