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
    private const int MostExamples = 3;

    /// <summary>Why the program can't work on it, and what to do about it, for people; null if it can.</summary>
    public string? Problem { get; private init; } =
        State switch
        {
            SchemaState.Missing => $"The database {Database} has no schema yet. Run: dsde db migrate",
            SchemaState.Behind => $"The schema of {Database} is behind: this program needs {ProgramVersion}, and "
                + $"{(Pending.Count == 1 ? $"{Pending[0]} is" : $"{Pending.Count} migrations from {Pending[0]} on are")} missing. "
                + "Run: dsde db migrate",
            SchemaState.Ahead => $"The schema of {Database} is ahead of this program: it is at {Unknown[^1]}, the program at "
                + $"{ProgramVersion}. Use a program that is at least as new as the one that migrated it.",
            _ => null,
        };

    /// <summary>Compares what is in a database with what the program knows.</summary>
    internal static SchemaStatus Judge(string database, SchemaContents contents, IReadOnlyList<string> known, IReadOnlyList<string> applied)
    {
        string[] pending = [.. known.Except(applied)];
        string[] unknown = [.. applied.Except(known)];
        if (FindClash(database, contents, known, applied) is { } clash)
        {
            return new SchemaStatus(database, SchemaState.Foreign, pending, unknown, known[^1]) { Problem = clash };
        }

        var state =
            unknown.Length > 0 ? SchemaState.Ahead
            : applied.Count == 0 ? SchemaState.Missing
            : pending.Length > 0 ? SchemaState.Behind
            : SchemaState.UpToDate;
        return new SchemaStatus(database, state, pending, unknown, known[^1]);
    }

    /// <summary>Why the schema is neither of this program's versions; null if it is one of them, or there is none.</summary>
    private static string? FindClash(string database, SchemaContents contents, IReadOnlyList<string> known, IReadOnlyList<string> applied)
    {
        const string Own = "Give dsde a database of its own";
        if (contents.HasHistory && !contents.HasReadableHistory)
        {
            return $"The database {database} is another program's: it has a migration history that is not written "
                + $"as this program's is. {Own}.";
        }

        if (applied.Count > 0 && !applied.Any(known.Contains))
        {
            return $"The database {database} was migrated by another program, or by a build of this one that is not its predecessor: its "
                + $"history has {applied[^1]}, and nothing that this program ({known[^1]}) knows. {Own}.";
        }

        if (applied.Count == 0 && contents.Present is { Count: > 0 } present)
        {
            return $"The database {database} has {List(present)}, which this program would make, but no migration history that says where "
                + $"they come from. {Own}, or remove them if nobody needs them, and run: dsde db migrate";
        }

        return applied.Count == known.Count && applied.All(known.Contains) && contents.Missing is { Count: > 0 } missing
            ? $"The database {database} lacks {List(missing)}, which its migration history says were made: somebody has changed the schema "
                + $"since. Restore it from a backup, or give dsde another database."
            : null;
    }

    private static string List(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(MostExamples)) + (names.Count > MostExamples ? $" and {names.Count - MostExamples} more" : "");
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

    /// <summary>What is there is neither: another program's, or a schema that somebody has changed by hand.</summary>
    Foreign,
}
