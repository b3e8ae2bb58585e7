namespace Dsde.Persistence.Jobs;

/// <summary>What a job generated: one output, of several if it asked for more.</summary>
public sealed record JobOutput
{
    /// <summary>The text; null if it was erased after it had been announced (<see cref="IJobStore.EraseAsync"/>).</summary>
    public required string? Text { get; init; }

    /// <summary><c>stop</c> or <c>length</c>; of an output that was cut short, <c>cancelled</c> or <c>expired</c>.</summary>
    public required string FinishReason { get; init; }

    /// <summary>Which of the job's prompts it continues, from 0; the first output continues the first.</summary>
    public int PromptIndex { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens generated.</summary>
    public required int CompletionTokens { get; init; }

    /// <summary>The generated ids, if the job asked for them.</summary>
    public int[]? TokenIds { get; init; }

    /// <summary>The prompt's ids, if the job asked for them; only with the first output of each prompt.</summary>
    public int[]? PromptTokenIds { get; init; }

    /// <summary>Log-probabilities (nats) of the generated tokens, if the job asked for them.</summary>
    public float[]? TokenLogProbabilities { get; init; }

    /// <summary>
    /// The most probable tokens at each generated token, best first, one position after the other, equally many at each; null if the job
    /// asked for none.
    /// </summary>
    public int[]? TopTokenIds { get; init; }

    /// <summary>Their log-probabilities (nats); as many.</summary>
    public float[]? TopLogProbabilities { get; init; }

    /// <summary>
    /// What the tokens with log-probabilities stand for, in the worker's own packing; null if the job asked for none, or for ids only.
    /// </summary>
    public byte[]? TokenBytes { get; init; }
}
