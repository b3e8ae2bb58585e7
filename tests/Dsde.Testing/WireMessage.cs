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
    private const byte PostgreSqlCommandComplete = (byte)'C';

    /// <summary>Whether it is AMQP's <c>basic.publish</c>: the program publishes.</summary>
    public bool IsPublish => IsFromClient && IsBasicMethod(40);

    /// <summary>
    /// Whether it is AMQP's <c>basic.ack</c>: from the server the confirmation of what was published, from the program the acknowledgement
    /// of a delivery.
    /// </summary>
    public bool IsAcknowledgement => IsBasicMethod(80);

    /// <summary>AMQP's channel.</summary>
    public int Channel => BinaryPrimitives.ReadUInt16BigEndian(Bytes.Span[1..]);

    /// <summary>The queue that the program starts to consume by AMQP's <c>basic.consume</c>; null if it is something else.</summary>
    public string? ConsumedQueue => IsFromClient && IsBasicMethod(20) ? Encoding.UTF8.GetString(Arguments[3..(3 + Arguments[2])]) : null;

    /// <summary>The number of a delivery that AMQP's <c>basic.deliver</c> brings; null if it is something else.</summary>
    public ulong? DeliveryTag =>
        !IsFromClient && IsBasicMethod(60) ? BinaryPrimitives.ReadUInt64BigEndian(Arguments[(1 + Arguments[0])..]) : null;

    /// <summary>
    /// The number of a delivery that the program acknowledges, or gives back by <c>basic.nack</c> or <c>basic.reject</c>, and whether all
    /// before it are meant as well; null if it is something else.
    /// </summary>
    public (ulong Tag, bool IsMultiple)? Settled =>
        IsFromClient && (IsBasicMethod(80) || IsBasicMethod(90) || IsBasicMethod(120))
            ? (BinaryPrimitives.ReadUInt64BigEndian(Arguments), !IsBasicMethod(90) && (Arguments[8] & 1) != 0)
            : null;

    /// <summary>Whether it asks PostgreSQL to commit.</summary>
    public bool IsCommit =>
        IsFromClient
        && Bytes.Span is [PostgreSqlQuery, ..]
        && Encoding.ASCII.GetString(Bytes.Span).Contains("COMMIT", StringComparison.Ordinal);

    /// <summary>Whether it is PostgreSQL's answer that it has committed.</summary>
    public bool IsCommitted => !IsFromClient && Bytes.Span is [PostgreSqlCommandComplete, ..] && Contains("COMMIT");

    /// <summary>Whether a text is in it.</summary>
    public bool Contains(string text) => Bytes.Span.IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;

    private ReadOnlySpan<byte> Arguments => Bytes.Span[11..];

    private bool IsBasicMethod(int method) =>
        Bytes.Span is [AmqpMethodFrame, ..]
        && Bytes.Length > 11
        && BinaryPrimitives.ReadInt16BigEndian(Bytes.Span[7..]) == 60
        && BinaryPrimitives.ReadInt16BigEndian(Bytes.Span[9..]) == method;
}
