using Dsde.Contracts;

namespace Dsde.Batches.Files;

/// <summary>One line of a job file: either a job or the reason why it is none.</summary>
internal sealed record BatchFileLine
{
    /// <summary>Counted from 1, blank lines included.</summary>
    public required int Number { get; init; }

    /// <summary>Id that the line's job has or would have.</summary>
    public required Guid JobId { get; init; }

    /// <summary>The submitter's name for the job, where it could be read.</summary>
    public string? CustomId { get; init; }

    /// <summary>The job; null if <see cref="Error"/> is set.</summary>
    public SubmitGenerationJob? Job { get; init; }

    /// <summary>The model that the line names, which is not always the alias the job is sent under.</summary>
    public string? RequestedModel { get; init; }

    /// <summary>What is wrong; null if <see cref="Job"/> is set.</summary>
    public LineError? Error { get; init; }
}
