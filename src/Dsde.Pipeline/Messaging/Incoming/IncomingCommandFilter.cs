using System.Text.Json;
using Dsde.Pipeline.Telemetry;
using MassTransit;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>
/// Reads commands as jobs are read: one with a field that nobody knows is not obeyed, as nobody knows what was meant. There is no event to
/// tell its sender, so the log says what is wrong with it, and the message goes.
/// </summary>
/// <typeparam name="T">The command.</typeparam>
internal sealed class IncomingCommandFilter<T>(int maxBytes, ILogger logger) : IFilter<ReceiveContext>
    where T : class
{
    private static readonly IReadOnlyCollection<string> Fields = KnownFields.NamesOf(typeof(T));

    /// <inheritdoc/>
    public async Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        try
        {
            var (command, ids) = Read(context.Body.GetBytes(), context.ContentType?.MediaType, maxBytes);
            var consumed = IncomingMessageContext.Create(context, command, ids);
            context.AddOrUpdatePayload(() => consumed, _ => consumed);
        }
        catch (UnreadableMessageException exception)
        {
            logger.CommandRefused(typeof(T).Name, exception.Message);
            return;
        }
        catch (Exception exception)
        {
            logger.CommandRefused(typeof(T).Name, $"It could not be read, which is this program's mistake: {exception.GetType().Name}.");
            return;
        }

        await next.Send(context);
    }

    /// <inheritdoc/>
    public void Probe(ProbeContext context) => context.CreateFilterScope("incomingCommands");

    /// <exception cref="UnreadableMessageException">It is no such command.</exception>
    public static (T Command, MessageIds Ids) Read(ReadOnlyMemory<byte> body, string? mediaType, int maxBytes)
    {
        if (body.Length > maxBytes)
        {
            throw new UnreadableMessageException($"The message has {body.Length} bytes; a worker takes at most {maxBytes}.");
        }

        using var opened = MessageBody.Open(body, mediaType, typeof(T), maxBytes);
        if (KnownFields.Read(opened.Message, Fields).Mistake is { } unknown)
        {
            throw new UnreadableMessageException(unknown);
        }

        try
        {
            return (opened.Message.Deserialize<T>(MessageBody.Json) ?? throw new JsonException("null"), opened.Ids);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new UnreadableMessageException($"{string.Join(", ", Fields)} is missing, given twice, or no UUID.");
        }
    }
}
