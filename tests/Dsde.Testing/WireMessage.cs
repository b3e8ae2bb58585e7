using System.Buffers.Binary;
using System.Text;

namespace Dsde.Testing;

/// <summary>A message on a <see cref="Wire"/>.</summary>
/// <param name="Connection">Which of the wire's connections, from 1.</param>
/// <param name="IsFromClient">Whether the program sent it, not the server.</param>
/// <param name="Bytes">As it is on the wire; valid during the call only.</param>
public readonly record struct WireMessage(int Connection, bool IsFromClient, ReadOnlyMemory<byte> Bytes)
{
    private const byte AmqpMethodFrame = 1;
    private const byte PostgreSqlQuery = (byte)'Q';

    /// <summary>Whether it is AMQP's <c>basic.publish</c>: the program publishes.</summary>
    public bool IsPublish => IsFromClient && IsBasicMethod(40);

    /// <summary>
    /// Whether it is AMQP's <c>basic.ack</c>: from the server the confirmation of what was published, from the program the acknowledgement
    /// of a delivery.
    /// </summary>
    public bool IsAcknowledgement => IsBasicMethod(80);

    /// <summary>Whether it asks PostgreSQL to commit.</summary>
    public bool IsCommit =>
        IsFromClient
        && Bytes.Span is [PostgreSqlQuery, ..]
        && Encoding.ASCII.GetString(Bytes.Span).Contains("COMMIT", StringComparison.Ordinal);

    /// <summary>Whether a text is in it.</summary>
    public bool Contains(string text) => Bytes.Span.IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;

    private bool IsBasicMethod(int method) =>
        Bytes.Span is [AmqpMethodFrame, ..]
        && Bytes.Length > 11
        && BinaryPrimitives.ReadInt16BigEndian(Bytes.Span[7..]) == 60
        && BinaryPrimitives.ReadInt16BigEndian(Bytes.Span[9..]) == method;
}
