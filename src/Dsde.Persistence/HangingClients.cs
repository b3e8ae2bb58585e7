using Npgsql;

namespace Dsde.Persistence;

/// <summary>
/// A worker that stands still within a transaction (a frozen machine, SIGSTOP) keeps its connection and with it the locks on its jobs and
/// their batches. The server ends such transactions after a while, so that it holds nobody up for ever; a worker that goes on after that
/// does it again.
/// </summary>
internal static class HangingClients
{
    /// <summary>Silence between two statements of a transaction.</summary>
    private const int IdleSeconds = 10;

    /// <summary>
    /// A statement, which also means the time that the client takes to send what it copies; never less than twice what the client itself
    /// allows.
    /// </summary>
    private const int StatementSeconds = 60;

    /// <summary>The connection string with these bounds; those that it sets itself win.</summary>
    public static string Bound(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        var statementSeconds = builder.CommandTimeout == 0 ? 0 : Math.Max(StatementSeconds, 2 * builder.CommandTimeout);
        builder.Options =
            $"-c idle_in_transaction_session_timeout={IdleSeconds}s -c statement_timeout={statementSeconds}s {builder.Options}".TrimEnd();
        return builder.ConnectionString;
    }
}
