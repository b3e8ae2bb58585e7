namespace Dsde.Experiments;

/// <summary>With what, and where.</summary>
internal sealed record ExperimentSettings
{
    /// <summary>The program <c>dsde</c>.</summary>
    public required string Program { get; init; }

    /// <summary>Job file in the OpenAI batch format; its temperatures and truncations are replaced.</summary>
    public required string Jobs { get; init; }

    /// <summary>Folder of the target.</summary>
    public required string Target { get; init; }

    /// <summary>Folder of its draft.</summary>
    public required string Draft { get; init; }

    /// <summary>Folder of a draft that does not fit the target.</summary>
    public required string MismatchedDraft { get; init; }

    /// <summary>Type computed in.</summary>
    public required string DataType { get; init; }

    /// <summary>Folder for what is stored; what it has already is not run again.</summary>
    public required string Folder { get; init; }

    /// <summary>How often each cell is timed, in every round each cell once; 0 for what does not ask the clock.</summary>
    public required int Rounds { get; init; }
}
