using System.Globalization;
using System.Text.RegularExpressions;
using MassTransit;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// Listens for the broker's word that a message is too large (<c>max_message_size</c>) while one is published or sent, and ends that with
/// it. The broker closes the channel with that word, so that everybody who publishes there at the moment gets it about a message that may
/// be another's; and MassTransit, to which it is a closed channel like any other, would publish the same again for ever and tell nobody.
/// </summary>
/// <param name="messageId">The message that is published or sent.</param>
/// <param name="cancelled">Ends it as well.</param>
internal sealed partial class SizeRefusal(Guid messageId, CancellationToken cancelled) : IPublishObserver, ISendObserver, IDisposable
{
    private readonly CancellationTokenSource _ended = CancellationTokenSource.CreateLinkedTokenSource(cancelled);

    /// <summary>The largest body that the broker takes, in bytes; null as long as it has not refused any for its size.</summary>
    public long? Limit { get; private set; }

    /// <summary>Bytes of the message when it was refused, with its envelope; null if nobody knows.</summary>
    public long? Bytes { get; private set; }

    /// <summary>What publishing or sending it ends with.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <inheritdoc/>
    public Task PrePublish<T>(PublishContext<T> context)
        where T : class => Task.CompletedTask;

    /// <inheritdoc/>
    public Task PostPublish<T>(PublishContext<T> context)
        where T : class => Task.CompletedTask;

    /// <inheritdoc/>
    public Task PublishFault<T>(PublishContext<T> context, Exception exception)
        where T : class => NoteAsync(context, exception);

    /// <inheritdoc/>
    public Task PreSend<T>(SendContext<T> context)
        where T : class => Task.CompletedTask;

    /// <inheritdoc/>
    public Task PostSend<T>(SendContext<T> context)
        where T : class => Task.CompletedTask;

    /// <inheritdoc/>
    public Task SendFault<T>(SendContext<T> context, Exception exception)
        where T : class => NoteAsync(context, exception);

    /// <inheritdoc/>
    public void Dispose() => _ended.Dispose();

    private Task NoteAsync(SendContext context, Exception exception)
    {
        if (context.MessageId != messageId || FindLimit(exception) is not { } limit)
        {
            return Task.CompletedTask;
        }

        (Limit, Bytes) = (limit, context.BodyLength);
        return _ended.CancelAsync();
    }

    private static long? FindLimit(Exception? exception) =>
        exception switch
        {
            null => null,
            OperationInterruptedException { ShutdownReason: { ReplyCode: Constants.PreconditionFailed, ReplyText: var text } }
                when Words().Match(text) is { Success: true } match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture),
            AggregateException many => many.InnerExceptions.Select(FindLimit).FirstOrDefault(limit => limit is not null),
            _ => FindLimit(exception.InnerException),
        };

    [GeneratedRegex(@"message size \d+ (?:is )?larger than (?:configured )?max size (\d{1,15})", RegexOptions.IgnoreCase)]
    private static partial Regex Words();
}
