namespace Dsde.Testing;

/// <summary>A PostgreSQL that one test class has to itself, and may stop and kill.</summary>
public sealed class BreakablePostgres : PostgresServer
{
    /// <summary>The server itself, to stop and start it.</summary>
    public new PrivateServer Server => base.Server;
}
