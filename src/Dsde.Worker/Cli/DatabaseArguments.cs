using System.CommandLine;
using Dsde.Persistence;
using Dsde.Pipeline;

namespace Dsde.Worker.Cli;

/// <summary>The database on the command line, over that of the configuration.</summary>
internal sealed class DatabaseArguments
{
    private readonly Option<string?> _provider = new("--provider") { Description = "postgresql (default) or sqlite.", HelpName = "NAME" };
    private readonly Option<string?> _connection = new("--connection")
    {
        Description = "Connection string (default: Dsde:Persistence:ConnectionString).",
        HelpName = "STRING",
    };

    private readonly Option<string?> _file = new("--database")
    {
        Description = "A database file of dsde run, instead of the two above.",
        HelpName = "FILE",
    };

    /// <summary>Adds the options; <paramref name="withFile"/>: also that for the file of a run, which must be there.</summary>
    public void AddTo(Command command, bool withFile = false)
    {
        _provider.AcceptOnlyFromAmong(PersistenceOptions.PostgreSql, PersistenceOptions.Sqlite);
        command.Add(_provider);
        command.Add(_connection);
        if (withFile)
        {
            command.Add(_file);
        }
    }

    /// <summary>The database file of a run.</summary>
    /// <exception cref="ExpectedFailureException">There is none of that name.</exception>
    public static PersistenceOptions ReadFile(string path) =>
        File.Exists(path)
            ? new PersistenceOptions { Provider = PersistenceOptions.Sqlite, ConnectionString = ConnectionStrings.ForFile(path) }
            : throw new ExpectedFailureException($"There is no database file {path}. dsde run writes dsde.db into the folder of --out.");

    public PersistenceOptions Read(ParseResult arguments)
    {
        if (arguments.GetResult(_file) is not null && arguments.GetValue(_file) is { } file)
        {
            return ReadFile(file);
        }

        var provider = arguments.GetValue(_provider);
        if (arguments.GetValue(_connection) is { } connection)
        {
            return ConnectionStrings.Require(
                new PersistenceOptions { ConnectionString = connection, Provider = provider ?? PersistenceOptions.PostgreSql }
            );
        }

        var configured = new ProgramSettings().Persistence();
        return provider is null || provider == configured.Provider
            ? configured
            : throw new ExpectedFailureException(
                $"--provider is {provider}, but the configured database is {configured.Provider}. Give its --connection as well."
            );
    }
}
