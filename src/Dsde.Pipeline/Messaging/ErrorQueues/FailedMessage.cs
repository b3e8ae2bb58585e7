using System.Globalization;
using System.Text;
using Dsde.Contracts;
using Dsde.Pipeline.Messaging.Incoming;
using Dsde.Pipeline.Messaging.Taking;
using MassTransit;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging.ErrorQueues;

/// <summary>What is to be said of a message in an error queue: never anything of its body but the job's id.</summary>
/// <param name="Queue">Where it is.</param>
/// <param name="Position">1 for the message that has been there longest.</param>
/// <param name="JobId">The job; null if the body doesn't say.</param>
/// <param name="FailedAt">When it came to the queue.</param>
/// <param name="Reason">Why, as far as its headers say.</param>
/// <param name="ExceptionType">What was thrown, if anything was.</param>
/// <param name="Bytes">Length of its body.</param>
internal sealed record FailedMessage(
    string Queue,
    int Position,
    Guid? JobId,
    DateTimeOffset? FailedAt,
    string Reason,
    string? ExceptionType,
    int Bytes
)
{
    private const int MaxShownLength = 500;

    /// <summary>Of a message of an error queue.</summary>
    public static FailedMessage Read(TakenMessage message) => Read(message.Queue, message.Position, message.Properties, message.Body);

    /// <summary>Of its parts.</summary>
    public static FailedMessage Read(string queue, int position, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        var headers = properties.Headers;
        var death = Get(headers, "x-death") is IList<object> deaths
            ? deaths.OfType<IDictionary<string, object?>>().FirstOrDefault(IsEnd)
            : null;
        // What the broker says about a dead letter can't be forged.
        var fault = death is null ? ReadText(headers, MessageHeaders.FaultMessage) : null;
        return new FailedMessage(
            queue,
            position,
            IncomingJobReader.FindJobId(body, properties.ContentType),
            death is null ? ReadTime(headers)
                : Get(death, "time") is AmqpTimestamp time ? DateTimeOffset.FromUnixTimeSeconds(time.UnixTime)
                : null,
            fault ?? Describe(death) ?? "not known: the message has no header that says why",
            death is null ? ReadText(headers, MessageHeaders.FaultExceptionType) : null,
            body.Length
        );
    }

    /// <summary>Having waited for another worker's claim, or for a worker of its model, is none.</summary>
    private static bool IsEnd(IDictionary<string, object?> death) =>
        ReadText(death, "queue") is not (QueueNames.HeldGenerationJobs or QueueNames.ParkedGenerationJobs);

    private static string? Describe(IDictionary<string, object?>? death) =>
        ReadText(death, "reason") switch
        {
            null => null,
            "delivery_limit" => $"came back too often from {ReadText(death, "queue")}: workers died of it, or never acknowledged it",
            "expired" => $"its time to live ran out in {ReadText(death, "queue")}",
            "rejected" => $"rejected by a consumer of {ReadText(death, "queue")}",
            var other => $"dead-lettered from {ReadText(death, "queue")}: {other}",
        };

    private static DateTimeOffset? ReadTime(IDictionary<string, object?>? headers) =>
        DateTimeOffset.TryParse(
            ReadText(headers, MessageHeaders.FaultTimestamp),
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var time
        )
            ? time
            : null;

    /// <summary>Anybody may have written a header: what would play with a terminal, or fill it, is left out.</summary>
    private static string? ReadText(IDictionary<string, object?>? headers, string name)
    {
        var text = Get(headers, name) switch
        {
            byte[] bytes => Encoding.UTF8.GetString(bytes),
            string given => given,
            _ => null,
        };
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        var plain = string.Concat(
                (text.Length > MaxShownLength ? text[..MaxShownLength] : text).Select(character =>
                    char.IsControl(character) ? ' ' : character
                )
            )
            .Trim();
        return text.Length > MaxShownLength ? plain + "..." : plain;
    }

    private static object? Get(IDictionary<string, object?>? headers, string name) =>
        headers is not null && headers.TryGetValue(name, out var value) ? value : null;
}
