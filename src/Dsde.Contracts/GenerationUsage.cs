namespace Dsde.Contracts;

/// <summary>Tokens that a job used.</summary>
public sealed record GenerationUsage
{
    /// <summary>Tokens of the prompt, chat template included.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens generated and kept, of all outputs together.</summary>
    public required int CompletionTokens { get; init; }
}
