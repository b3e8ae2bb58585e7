namespace Dsde.Persistence.Entities;

/// <summary>A row of <c>job_choices</c>: an output of a job that has several, from the second on.</summary>
internal sealed class JobChoice
{
    public Guid JobId { get; init; }

    public int Choice { get; init; }

    public string? Text { get; set; }

    public byte[]? TextHash { get; set; }

    public string FinishReason { get; init; } = "";

    public int PromptIndex { get; init; }

    public int PromptTokens { get; init; }

    public int CompletionTokens { get; init; }

    public int[]? TokenIds { get; set; }

    public int[]? PromptTokenIds { get; set; }

    public float[]? TokenLogProbabilities { get; set; }

    public int[]? TopTokenIds { get; set; }

    public float[]? TopLogProbabilities { get; set; }

    public byte[]? TokenBytes { get; set; }
}
