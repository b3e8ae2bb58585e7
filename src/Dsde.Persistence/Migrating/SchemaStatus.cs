namespace Dsde.Persistence.Migrating;

/// <summary>How a database's schema and the program fit.</summary>
/// <param name="Database">The database, without secrets.</param>
/// <param name="State">The answer.</param>
/// <param name="Pending">Migrations that the program knows and the database has not, oldest first.</param>
/// <param name="Unknown">Migrations that the database has and the program does not know, oldest first.</param>
/// <param name="ProgramVersion">The latest migration that the program knows.</param>
public sealed record SchemaStatus(
    string Database,
    SchemaState State,
    IReadOnlyList<string> Pending,
    IReadOnlyList<string> Unknown,
    string ProgramVersion
)
{
    /// <summary>Why the program can't work on it, and what to do about it, for people; null if it can.</summary>
    public string? Problem =>
        State switch
        {
            SchemaState.Missing => $"The database {Database} has no schema yet. Run: dsde db migrate",
            SchemaState.Behind =>
                $"The schema of {Database} is behind: this program needs {ProgramVersion}, and {Pending.Count} migrations "
                    + $"from {Pending[0]} on are missing. Run: dsde db migrate",
            SchemaState.Ahead =>
                $"The schema of {Database} is ahead of this program: it is at {Unknown[^1]}, the program at {ProgramVersion}. "
                    + "Use a program that is at least as new as the one that migrated it.",
            _ => null,
        };
}

/// <summary>Which of the two is older.</summary>
public enum SchemaState
{
    /// <summary>There is no schema, and perhaps no database.</summary>
    Missing,

    /// <summary>The schema is older than the program.</summary>
    Behind,

    /// <summary>They fit.</summary>
    UpToDate,

    /// <summary>The schema has what the program does not know: a newer one made it.</summary>
    Ahead,
}
