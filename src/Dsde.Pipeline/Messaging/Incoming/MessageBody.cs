using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dsde.Contracts;
using MassTransit;
using MassTransit.Serialization;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>
/// A message's body: the message as it is, or in a MassTransit envelope. Of the envelope only ids and the time are taken: its addresses and
/// headers would have this worker send faults to, and declare queues for, whomever a stranger names, and copy a stranger's headers into
/// events.
/// </summary>
internal sealed class MessageBody : IDisposable
{
    /// <summary>The media type of MassTransit's envelopes; every other one is taken for raw JSON.</summary>
    public const string EnvelopeMediaType = "application/vnd.masstransit+json";

    /// <summary>JSON as MassTransit's own serializer reads it.</summary>
    public static readonly JsonDocumentOptions Options = new()
    {
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
        MaxDepth = 64,
    };

    /// <summary>How messages become records: strictly, and no field twice.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        AllowTrailingCommas = Options.AllowTrailingCommas,
        ReadCommentHandling = Options.CommentHandling,
        MaxDepth = Options.MaxDepth,
        NumberHandling = JsonNumberHandling.Strict,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        Converters = { new WholeNumbers.IntegerConverter(), new WholeNumbers.LongConverter() },
    };

    private const int MostValues = 1 << 20; // of a body that is too large anyway: 12 MiB of memory to find out whose it is
    private static readonly string[] EnvelopeFields =
    [
        nameof(MessageEnvelope.Message),
        nameof(MessageEnvelope.MessageType),
        nameof(MessageEnvelope.MessageId),
        nameof(MessageEnvelope.CorrelationId),
        nameof(MessageEnvelope.ConversationId),
        nameof(MessageEnvelope.SentTime),
    ];

    private readonly JsonDocument _document;

    private MessageBody(JsonDocument document, JsonElement message, MessageIds ids)
    {
        _document = document;
        Message = message;
        Ids = ids;
    }

    /// <summary>The message: an object.</summary>
    public JsonElement Message { get; }

    /// <summary>What the envelope says about it.</summary>
    public MessageIds Ids { get; }

    /// <param name="body">As it came; must not change while this is used.</param>
    /// <param name="mediaType">What the message says the body is, parameters included; null if it says nothing.</param>
    /// <param name="type">The message's type, which an envelope has to name.</param>
    /// <param name="maxBytes">The longest body that is taken. What is longer is looked at as far as that takes little memory.</param>
    /// <exception cref="UnreadableMessageException">It is no such message.</exception>
    public static MessageBody Open(ReadOnlyMemory<byte> body, string? mediaType, Type type, int maxBytes)
    {
        var isEnvelope =
            mediaType is not null && EnvelopeMediaType.Equals(mediaType.Split(';')[0].Trim(), StringComparison.OrdinalIgnoreCase);
        var json = body.Span.StartsWith(Encoding.UTF8.Preamble) ? body[Encoding.UTF8.Preamble.Length..] : body;
        if (body.Length > maxBytes && CountSeparators(json.Span) > MostValues)
        {
            throw new UnreadableMessageException(
                $"The message has {body.Length} bytes with too many values to look for its id; a worker takes at most {maxBytes} bytes."
            );
        }

        var document = Parse(json, isEnvelope);
        try
        {
            if (!isEnvelope)
            {
                return new MessageBody(document, RequireObject(document.RootElement, isEnvelope: false), default);
            }

            var envelope = KnownFields.Read(RequireObject(document.RootElement, isEnvelope: true), EnvelopeFields);
            var ids = new MessageIds(
                envelope.FindId(nameof(MessageEnvelope.MessageId)),
                envelope.FindId(nameof(MessageEnvelope.CorrelationId)),
                envelope.FindId(nameof(MessageEnvelope.ConversationId))
            )
            {
                SentTime = FindTime(envelope, nameof(MessageEnvelope.SentTime)),
            };
            return new MessageBody(document, FindMessage(envelope, type), ids);
        }
        catch
        {
            document.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _document.Dispose();

    private static JsonDocument Parse(ReadOnlyMemory<byte> json, bool isEnvelope)
    {
        try
        {
            return JsonDocument.Parse(json, Options);
        }
        catch (JsonException exception)
        {
            throw new UnreadableMessageException(
                json.IsEmpty
                    ? $"The body is {NotAnObject(isEnvelope)}: it is empty."
                    : $"The body is {NotAnObject(isEnvelope)}: it can't be read from byte {exception.BytePositionInLine ?? 0} of line "
                        + $"{(exception.LineNumber ?? 0) + 1} on, or is nested deeper than {Options.MaxDepth} levels."
            );
        }
    }

    /// <summary>A time that the databases can keep; null otherwise, because nothing depends on it.</summary>
    private static DateTime? FindTime(KnownFields envelope, string name) =>
        envelope.Find(name) is { ValueKind: JsonValueKind.String } value
        && value.TryGetDateTimeOffset(out var time)
        && time.Year is > 1970 and < 9999
            ? time.UtcDateTime
            : null;

    private static JsonElement FindMessage(KnownFields envelope, Type type)
    {
        var urn = MessageUrn.ForTypeString(type);
        var isNamed =
            envelope.Find(nameof(MessageEnvelope.MessageType)) is { ValueKind: JsonValueKind.Array } types
            && types.EnumerateArray().Any(item => urn.Equals(KnownFields.TextOf(item), StringComparison.OrdinalIgnoreCase));
        return !isNamed
                ? throw new UnreadableMessageException(
                    $"The envelope's messageType does not name {type.Name}, and this queue takes nothing else."
                )
            : envelope.CountOf(nameof(MessageEnvelope.Message)) > 1
                ? throw new UnreadableMessageException("The envelope has more than one message.")
            : envelope.Find(nameof(MessageEnvelope.Message)) is { } message ? RequireObject(message, isEnvelope: true)
            : throw new UnreadableMessageException("The envelope has no message.");
    }

    private static JsonElement RequireObject(JsonElement element, bool isEnvelope) =>
        element.ValueKind == JsonValueKind.Object
            ? element
            : throw new UnreadableMessageException($"The body is {NotAnObject(isEnvelope)}.");

    private static string NotAnObject(bool isEnvelope) => $"not a JSON object{(isEnvelope ? " with an envelope" : "")}";

    /// <summary>At least as many as there are values, as one stands before or after each.</summary>
    private static int CountSeparators(ReadOnlySpan<byte> json) => json.Count((byte)',') + json.Count((byte)':') + json.Count((byte)'[');
}
