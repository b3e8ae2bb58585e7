namespace Dsde.Contracts;

/// <summary>One of several outputs of a job.</summary>
public sealed record GenerationChoice
{
    /// <summary>Which, from 0; of several prompts one prompt's outputs come after the other's.</summary>
    public required int Index { get; init; }

    /// <summary>Which of the job's prompts it continues, from 0.</summary>
    public required int PromptIndex { get; init; }

    /// <summary>The output; null where the event says with textLocation where it is, and once it has been erased.</summary>
    public string? Text { get; init; }

    /// <summary>As in the event.</summary>
    public required string FinishReason { get; init; }

    /// <summary>Tokens generated and kept.</summary>
    public required int CompletionTokens { get; init; }

    /// <summary>Seed of its random draws.</summary>
    public required long Seed { get; init; }

    /// <summary>Ids of the generated tokens, if the job asked for them.</summary>
    public IReadOnlyList<int>? TokenIds { get; init; }

    /// <summary>Ids of the prompt's tokens, if the job asked for them and has several prompts.</summary>
    public IReadOnlyList<int>? PromptTokenIds { get; init; }

    /// <summary>Log-probability (nats, temperature 1) of every generated token under the target, if the job asked for them.</summary>
    public IReadOnlyList<double>? TokenLogProbabilities { get; init; }

    /// <summary>Per generated token the most probable ones, best first, if the job asked for them.</summary>
    public IReadOnlyList<IReadOnlyList<TopLogProbability>>? TopLogProbabilities { get; init; }
}
