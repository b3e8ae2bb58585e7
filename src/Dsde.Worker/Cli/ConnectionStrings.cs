using System.Data.Common;
using Dsde.Persistence;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Dsde.Worker.Cli;

/// <summary>Connection strings of both providers.</summary>
internal static class ConnectionStrings
{
    /// <summary>Of a database file, whatever characters its path has.</summary>
    public static string ForFile(string path) => new SqliteConnectionStringBuilder { DataSource = path }.ToString();

    /// <summary>Returns <paramref name="options"/> if their connection string can be read.</summary>
    /// <exception cref="OptionsValidationException">It can't; the message does not repeat it, since it may hold a password.</exception>
    public static PersistenceOptions Require(PersistenceOptions options)
    {
        try
        {
            Create(options.Provider).ConnectionString = options.ConnectionString;
            return options;
        }
        catch (Exception exception) when (IsMistake(exception))
        {
            var example =
                options.Provider == PersistenceOptions.Sqlite
                    ? "Data Source=dsde.db"
                    : "Host=localhost;Database=dsde;Username=dsde;Password=...";
            throw new OptionsValidationException(
                PersistenceOptions.SectionName,
                typeof(PersistenceOptions),
                [
                    $"The connection string ({PersistenceOptions.SectionName}:{nameof(options.ConnectionString)}) is none for "
                        + $"{options.Provider}: {FindMistake(options)} Give for example {example}.",
                ]
            );
        }
    }

    /// <summary>Names known keywords only: any other word of it may be a password with a mistake before it.</summary>
    private static string FindMistake(PersistenceOptions options)
    {
        var entries = new DbConnectionStringBuilder();
        try
        {
            entries.ConnectionString = options.ConnectionString;
        }
        catch (ArgumentException)
        {
            return "it does not have the form Key=Value;Key=Value.";
        }

        foreach (var (index, key) in entries.Keys.Cast<string>().Index())
        {
            var builder = Create(options.Provider);
            try
            {
                builder[key] = entries[key];
            }
            catch (Exception exception) when (IsMistake(exception))
            {
                return builder.ContainsKey(key) ? $"{key} has a value that it can't have." : $"the key of entry {index + 1} is not known.";
            }
        }

        return "its entries don't go together.";
    }

    private static DbConnectionStringBuilder Create(string provider) =>
        provider == PersistenceOptions.Sqlite ? new SqliteConnectionStringBuilder() : new NpgsqlConnectionStringBuilder();

    private static bool IsMistake(Exception exception) =>
        exception is ArgumentException or FormatException or KeyNotFoundException or InvalidCastException;
}
