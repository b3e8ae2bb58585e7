namespace Dsde.Testing;

/// <summary>What is spoken on a <see cref="Wire"/>; never encrypted.</summary>
public enum WireProtocol
{
    /// <summary>AMQP 0-9-1.</summary>
    Amqp,

    /// <summary>PostgreSQL, version 3.</summary>
    PostgreSql,
}
