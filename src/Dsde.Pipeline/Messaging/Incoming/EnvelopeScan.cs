using System.Text.Json;
using Dsde.Contracts;
using MassTransit;
using MassTransit.Serialization;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>
/// Finds the message in a MassTransit envelope, and the envelope's ids. Its addresses and headers are left alone: they would have this
/// worker send faults to, and declare queues for, whomever a stranger names, and copy a stranger's headers into events.
/// </summary>
internal sealed class EnvelopeScan
{
    private static readonly string JobType = MessageUrn.ForTypeString<SubmitGenerationJob>();

    private EnvelopeScan() { }

    /// <summary>Where the message is; null if there is none.</summary>
    public Range? Message { get; private set; }

    /// <summary>Whether it says that the message is a job.</summary>
    public bool IsJob { get; private set; }

    /// <summary>What it says about itself.</summary>
    public MessageIds Ids { get; private set; }

    /// <exception cref="JsonException">It is not an object in JSON.</exception>
    public static EnvelopeScan Read(ReadOnlySpan<byte> json)
    {
        var scan = new EnvelopeScan();
        JsonWalk.Walk(json, scan.Visit);
        return scan;
    }

    private void Visit(string name, ref Utf8JsonReader reader)
    {
        if (name.Equals(nameof(MessageEnvelope.Message), StringComparison.OrdinalIgnoreCase))
        {
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            Message = start..(int)reader.BytesConsumed;
        }
        else if (name.Equals(nameof(MessageEnvelope.MessageType), StringComparison.OrdinalIgnoreCase))
        {
            IsJob = ReadIsJob(ref reader);
        }
        else if (name.Equals(nameof(MessageEnvelope.MessageId), StringComparison.OrdinalIgnoreCase))
        {
            Ids = Ids with { MessageId = JsonWalk.TryGetId(ref reader) };
        }
        else if (name.Equals(nameof(MessageEnvelope.CorrelationId), StringComparison.OrdinalIgnoreCase))
        {
            Ids = Ids with { CorrelationId = JsonWalk.TryGetId(ref reader) };
        }
        else if (name.Equals(nameof(MessageEnvelope.ConversationId), StringComparison.OrdinalIgnoreCase))
        {
            Ids = Ids with { ConversationId = JsonWalk.TryGetId(ref reader) };
        }
    }

    private static bool ReadIsJob(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return false;
        }

        var isJob = false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            isJob |=
                reader.TokenType == JsonTokenType.String
                && reader.ValueSpan.Length <= JobType.Length * 6
                && JobType.Equals(JsonWalk.TryGetText(ref reader), StringComparison.OrdinalIgnoreCase);
            reader.Skip();
        }

        return isJob;
    }
}
