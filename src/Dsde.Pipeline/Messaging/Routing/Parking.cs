using System.Globalization;
using System.Text;
using Dsde.Contracts;
using MassTransit;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging.Routing;

/// <summary>
/// What a message says of itself that waits for a worker of its model: in which queue it belongs, and until when it waits. Both are headers
/// that anybody may send, so that neither is taken for more than it is worth: a queue of jobs, and a time no later than the worker's own.
/// </summary>
internal static class Parking
{
    private const string QueueHeader = "dsde-parked-for";
    private const string UntilHeader = "dsde-parked-until";

    /// <summary>Until when a message waits that is parked now, or was before.</summary>
    /// <param name="message">As it came.</param>
    /// <param name="now">The time.</param>
    /// <param name="wait">The longest that it may wait.</param>
    public static DateTimeOffset FindEnd(ReceiveContext message, DateTimeOffset now, TimeSpan wait)
    {
        var latest = now + wait;
        return
            message.TryGetPayload(out RabbitMqBasicConsumeContext? delivery)
            && long.TryParse(Read(delivery.Properties, UntilHeader), CultureInfo.InvariantCulture, out var milliseconds)
            && milliseconds < latest.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(0, milliseconds))
            : latest;
    }

    /// <summary>The message as it is parked.</summary>
    public static BasicProperties Enter(BasicProperties properties, Lane lane, DateTimeOffset now, DateTimeOffset end)
    {
        properties.Headers ??= new Dictionary<string, object?>();
        properties.Headers[QueueHeader] = lane.Queue;
        properties.Headers[UntilHeader] = end.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        properties.Expiration = Math.Max(1, (long)(end - now).TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        return properties;
    }

    /// <summary>The lane that a parked message waits for; null if it does not say.</summary>
    public static Lane? FindLane(IReadOnlyBasicProperties properties) =>
        Read(properties, QueueHeader) is { } queue ? Lane.FindByQueue(queue) : null;

    /// <summary>The message as it leaves for its queue.</summary>
    public static BasicProperties Leave(IReadOnlyBasicProperties properties)
    {
        var copy = MessageCopy.Of(properties, IsOne);
        copy.ClearExpiration();
        return copy;
    }

    /// <summary>Whether a header is for parked messages only.</summary>
    public static bool IsOne(string header) => header is QueueHeader or UntilHeader;

    /// <summary>Why a job ends for which no worker came.</summary>
    /// <param name="model">The alias that it asks for.</param>
    /// <param name="wait">How long it has waited at most.</param>
    public static string Describe(string model, TimeSpan wait) =>
        $"{JobFieldNames.InMessages(nameof(SubmitGenerationJob.Model))} is '{model}', which no worker has served, nor has one come within "
        + string.Create(CultureInfo.InvariantCulture, $"{wait.TotalSeconds:0} s; ")
        + "give an alias that workers serve (dsde models names them).";

    private static string? Read(IReadOnlyBasicProperties properties, string header) =>
        properties.Headers?.TryGetValue(header, out var value) == true
            ? value switch
            {
                byte[] bytes => Encoding.UTF8.GetString(bytes),
                string text => text,
                _ => null,
            }
            : null;
}
