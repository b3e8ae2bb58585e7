using Dsde.Persistence;
using Dsde.Persistence.Analysis;
using Dsde.Speculation;

namespace Dsde.Worker.Cli.Analysis;

/// <summary>One of the two that are compared, as it is named on the command line.</summary>
/// <param name="Text">As it was given.</param>
/// <param name="Filter">Which outputs.</param>
/// <param name="Database">Where they are; null for the database of the other options.</param>
internal sealed record ComparedSelection(string Text, TraceFilter Filter, PersistenceOptions? Database)
{
    /// <summary>What may stand there, for help and messages.</summary>
    public const string Forms =
        "a batch's id, a policy, a folder or database file of dsde run, or several of batch=ID, policy=NAME, workload=LABEL, model=NAME, "
        + "from=TIME, to=TIME, database=FILE with commas between them; connection=STRING, of PostgreSQL, comes last";

    private const string RunDatabase = "dsde.db";
    private const string ConnectionKey = "connection=";

    /// <summary>Reads it.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static ComparedSelection Parse(string text)
    {
        var (filter, database) = (new TraceFilter(), default(PersistenceOptions));
        var rest = text;
        if (FindConnection(text) is >= 0 and var start)
        {
            database = new PersistenceOptions
            {
                Provider = PersistenceOptions.PostgreSql,
                ConnectionString = text[(start + ConnectionKey.Length)..],
            };
            rest = text[..start].TrimEnd(',');
        }

        foreach (var part in rest.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            (filter, database) = part.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals
                ? With(filter, database, part[..equals], part[(equals + 1)..])
                : With(filter, database, KeyOf(part), part);
        }

        return new ComparedSelection(
            database is not null && text.Contains(ConnectionKey, StringComparison.Ordinal) ? Hide(text) : text,
            filter,
            database
        );
    }

    private static (TraceFilter, PersistenceOptions?) With(TraceFilter filter, PersistenceOptions? database, string key, string value) =>
        key switch
        {
            "batch" => (filter with { BatchId = Guid.TryParse(value, out var id) ? id : throw Wrong(key, value, "an id") }, database),
            "policy" => (filter with { Policy = PolicyConfiguration.Parse(value).ToString() }, database),
            "workload" => (filter with { Workload = value }, database),
            "model" => (filter with { TargetModel = value }, database),
            "from" => (filter with { From = ParseTime(key, value) }, database),
            "to" => (filter with { To = ParseTime(key, value) }, database),
            "database" => (filter, DatabaseArguments.ReadFile(Directory.Exists(value) ? Path.Combine(value, RunDatabase) : value)),
            _ => throw new FormatException($"'{key}' is not known. Give {Forms}."),
        };

    private static string KeyOf(string word) =>
        Guid.TryParse(word, out _) ? "batch"
        : !IsPolicy(word) && (File.Exists(word) || Directory.Exists(word)) ? "database"
        : "policy";

    private static bool IsPolicy(string word)
    {
        try
        {
            _ = PolicyConfiguration.Parse(word);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static DateTimeOffset ParseTime(string key, string value) =>
        TraceArguments.TryParseTime(value, out var time) ? time : throw Wrong(key, value, "a time such as 2026-11-27T08:00");

    private static FormatException Wrong(string key, string value, string wanted) => new($"{key} is '{value}'; give {wanted}.");

    private static int FindConnection(string text) =>
        text.StartsWith(ConnectionKey, StringComparison.Ordinal) ? 0
        : text.IndexOf("," + ConnectionKey, StringComparison.Ordinal) is >= 0 and var comma ? comma + 1
        : -1;

    /// <summary>A connection string may hold a password.</summary>
    private static string Hide(string text) => text[..(FindConnection(text) + ConnectionKey.Length)] + "…";
}
