using System.Text;
using System.Text.Json;
using RabbitMQ.Client;

namespace Dsde.EndToEnd.Tests;

/// <summary>An event as a plain AMQP client sees it.</summary>
/// <param name="Type">Its name.</param>
/// <param name="MessageId">Of the envelope.</param>
/// <param name="Message">The event itself.</param>
internal sealed record TappedEvent(string Type, string MessageId, JsonElement Message)
{
    /// <summary>What is around it.</summary>
    public required JsonElement Envelope { get; init; }

    /// <summary>AMQP properties.</summary>
    public required IReadOnlyBasicProperties Properties { get; init; }

    /// <summary>The job it is about, if it is about one.</summary>
    public Guid? JobId => Message.TryGetProperty("jobId", out var id) ? id.GetGuid() : null;

    /// <summary>The correlation id that the envelope has.</summary>
    public string? EnvelopeCorrelationId => Envelope.TryGetProperty("correlationId", out var id) ? id.GetString() : null;

    /// <summary>An AMQP header.</summary>
    public string? Header(string name) =>
        Properties.Headers?.TryGetValue(name, out var value) == true && value is byte[] text ? Encoding.UTF8.GetString(text) : null;
}
