using Dsde.Contracts;

namespace Dsde.Batches.Files;

/// <summary>A line of a job file that is not blank: either a job or the reason why it is none.</summary>
internal sealed record BatchFileLine
{
    /// <summary>Counted from 1, blank lines included.</summary>
    public required int Number { get; init; }

    /// <summary>Id that the line's job has or would have.</summary>
    public required Guid JobId { get; init; }

    /// <summary>The submitter's name for the job, where it could be read.</summary>
    public string? CustomId { get; init; }

    /// <summary>What the line names as its model, where that could be read: of a line that is no job, too.</summary>
    public string? NamedModel { get; init; }

    /// <summary>The job; null if <see cref="Error"/> is set.</summary>
    public SubmitGenerationJob? Job { get; init; }

    /// <summary>Fields that OpenAI's interface knows and that change no output here, for example <c>body.user</c>; nothing is done with
    /// them.</summary>
    public IReadOnlyList<string> IgnoredFields { get; init; } = [];

    /// <summary>What is wrong; null if <see cref="Job"/> is set.</summary>
    public LineError? Error { get; init; }
}
