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

    public void AddTo(Command command)
    {
        _provider.AcceptOnlyFromAmong(PersistenceOptions.PostgreSql, PersistenceOptions.Sqlite);
        command.Add(_provider);
        command.Add(_connection);
    }

    public PersistenceOptions Read(ParseResult arguments)
    {
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
