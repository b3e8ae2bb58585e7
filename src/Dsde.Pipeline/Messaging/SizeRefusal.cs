using System.Globalization;
using System.Text.RegularExpressions;
using Dsde.Pipeline.Resilience;
using MassTransit;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// Listens for the broker's word that a message is too large (<c>max_message_size</c>) while one is published or sent, and ends that with
/// it. The broker closes the channel with that word, so that everybody who publishes there at the moment gets it about a message that may
/// be another's; and MassTransit, to which it is a closed channel like any other, would publish the same again for ever and tell nobody.
/// </summary>
internal sealed partial class SizeRefusal : IPublishObserver, ISendObserver, IDisposable
{
    private readonly Guid _messageId;
    private readonly CancellationTokenSource _ended;
    private MessageTooLargeException? _word;

    private SizeRefusal(Guid messageId, CancellationToken cancelled) =>
        (_messageId, _ended) = (messageId, CancellationTokenSource.CreateLinkedTokenSource(cancelled));

    /// <summary>Publishes or sends a message; again if it lost its channel to another message's size.</summary>
    /// <param name="messageId">The message.</param>
    /// <param name="listen">Connects the observer to where the message is published or sent.</param>
    /// <param name="send">Publishes or sends it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="MessageTooLargeException">The broker doesn't take it.</exception>
    public static async Task SendAsync(
        Guid messageId,
        Func<SizeRefusal, ConnectHandle> listen,
        Func<CancellationToken, Task> send,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            using var refusal = new SizeRefusal(messageId, cancellationToken);
            using var listening = listen(refusal);
            try
            {
                // A broker short of memory or disk confirms nothing, for as long as it takes.
                await send(refusal._ended.Token).WaitAsync(refusal._ended.Token);
                return;
            }
            catch (OperationCanceledException) when (refusal._word is { } word)
            {
                if (word.Bytes > word.Limit)
                {
                    throw word;
                }
            }

            await Task.Delay(ServerPatience.FirstPause, time, cancellationToken); // until there is another channel
        }
    }

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
        if (context.MessageId != _messageId || FindLimit(exception) is not { } limit)
        {
            return Task.CompletedTask;
        }

        _word = new MessageTooLargeException(context.BodyLength ?? 0, limit);
        return _ended.CancelAsync();
    }

    private static long? FindLimit(Exception exception) =>
        BrokerFailure.FindAnswer(exception)?.ShutdownReason is { ReplyCode: Constants.PreconditionFailed, ReplyText: var text }
        && Words().Match(text) is { Success: true } match
            ? long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : null;

    [GeneratedRegex(@"message size \d+ (?:is )?larger than (?:configured )?max size (\d{1,15})", RegexOptions.IgnoreCase)]
    private static partial Regex Words();
}
