using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Dsde.Contracts;

/// <summary>
/// The names that a model may go by. They are part of names of queues and of routing keys, so that not every text is one.
/// </summary>
public static partial class ModelAlias
{
    /// <summary>Most characters of one.</summary>
    public const int MaxLength = 128;

    /// <summary>What is allowed, for people.</summary>
    public const string Allowed =
        "ASCII letters, digits, '.', '_', ':' and '-', at most 128 of them, the first one a letter or digit, the end neither .high nor "
        + ".resumed, and the beginning not "
        + QueueNames.GenerationJobs;

    /// <summary>Whether a worker can serve a model under this name.</summary>
    public static bool IsValid([NotNullWhen(true)] string? name) =>
        name is { Length: > 0 and <= MaxLength }
        && Form().IsMatch(name)
        && !name.EndsWith(QueueNames.HighSuffix, StringComparison.Ordinal)
        && !name.EndsWith(QueueNames.ResumedSuffix, StringComparison.Ordinal)
        && !name.StartsWith(QueueNames.GenerationJobs, StringComparison.Ordinal); // the broker's own routing keys are names of queues

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._:\-]*\z")]
    private static partial Regex Form();
}
