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
            _ = options.Provider == PersistenceOptions.Sqlite
                ? (System.Data.Common.DbConnectionStringBuilder)new SqliteConnectionStringBuilder(options.ConnectionString)
                : new NpgsqlConnectionStringBuilder(options.ConnectionString);
            return options;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or KeyNotFoundException or InvalidCastException)
        {
            var example = options.Provider == PersistenceOptions.Sqlite ? "Data Source=dsde.db" : "Host=localhost;Database=dsde;Username=dsde;Password=...";
            throw new OptionsValidationException(
                PersistenceOptions.SectionName,
                typeof(PersistenceOptions),
                [$"The connection string ({PersistenceOptions.SectionName}:{nameof(options.ConnectionString)}) is none for {options.Provider}: {exception.Message} Give for example {example}."]);
        }
    }
}
