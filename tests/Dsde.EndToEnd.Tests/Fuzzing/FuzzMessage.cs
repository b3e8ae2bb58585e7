using System.Text;
using RabbitMQ.Client;

namespace Dsde.EndToEnd.Tests.Fuzzing;

/// <summary>A message of a fuzz run.</summary>
/// <param name="Number">Unique; the message's id says it.</param>
/// <param name="Kind">What is wrong with it.</param>
/// <param name="JobId">The job that its body is about, if it says.</param>
/// <param name="Body">The body.</param>
internal sealed record FuzzMessage(int Number, string Kind, Guid JobId, byte[] Body)
{
    public FuzzMessage(int number, string kind, Guid jobId, string body)
        : this(number, kind, jobId, Encoding.UTF8.GetBytes(body)) { }

    public string? ContentType { get; init; } = "application/json";

    public Dictionary<string, object?>? Headers { get; init; }

    public string? CorrelationId { get; init; }

    public string? ReplyTo { get; init; }

    public string? Expiration { get; init; }

    /// <summary>Whether it may as well be a job that completes.</summary>
    public bool MayComplete { get; init; }

    public BasicProperties ToProperties()
    {
        var properties = new BasicProperties
        {
            MessageId = IdOf(Number),
            Persistent = true,
            Headers = Headers,
        };
        if (ContentType is not null)
        {
            properties.ContentType = ContentType;
        }

        if (CorrelationId is not null)
        {
            properties.CorrelationId = CorrelationId;
        }

        if (ReplyTo is not null)
        {
            properties.ReplyTo = ReplyTo;
        }

        if (Expiration is not null)
        {
            properties.Expiration = Expiration;
        }

        return properties;
    }

    public static string IdOf(int number) => $"fuzz-{number}";
}
