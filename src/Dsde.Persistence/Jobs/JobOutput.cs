namespace Dsde.Persistence.Jobs;

/// <summary>What a job generated.</summary>
public sealed record JobOutput
{
    /// <summary>The text.</summary>
    public required string Text { get; init; }

    /// <summary><c>stop</c> or <c>length</c>.</summary>
    public required string FinishReason { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens generated.</summary>
    public required int CompletionTokens { get; init; }

    /// <summary>The generated ids, if the job asked for them.</summary>
    public int[]? TokenIds { get; init; }

    /// <summary>The prompt's ids, if the job asked for them.</summary>
    public int[]? PromptTokenIds { get; init; }

    /// <summary>Log-probabilities (nats) of the generated tokens, if the job asked for them.</summary>
    public float[]? TokenLogProbabilities { get; init; }
}
