using System.Threading.Channels;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging;

/// <summary>What went wrong with the broker, for people: whether it refused for good or may do the same later.</summary>
internal static class BrokerFailure
{
    /// <summary>
    /// Whether an operation has failed because its connection did. The client says so by an exception of its queues, too, when it notices
    /// while it sends.
    /// </summary>
    public static bool IsOne(Exception exception) => exception is RabbitMQClientException or ChannelClosedException;

    /// <summary>Of what an operation on an open connection has thrown.</summary>
    public static ExpectedFailureException Create(RabbitMqOptions options, Exception exception) =>
        FindAnswer(exception) is { } answer
            ? BrokerRefusal.IsOne(answer.ShutdownReason)
                ? new ExpectedFailureException(BrokerRefusal.Describe(options, answer), exception)
                : new BrokerUnavailableException(
                    $"RabbitMQ at {options.Describe()} has ended the connection: {answer.ShutdownReason?.ReplyText.TrimEnd('.', ' ')}.",
                    exception
                )
            : new BrokerUnavailableException(
                $"RabbitMQ at {options.Describe()} does not answer as it should: {Reason(exception)}",
                exception
            );

    /// <summary>What the broker said; null if it did not come to that.</summary>
    public static OperationInterruptedException? FindAnswer(Exception? exception) =>
        exception switch
        {
            OperationInterruptedException { ShutdownReason: not null } answer => answer,
            AggregateException many => many.InnerExceptions.Select(FindAnswer).FirstOrDefault(answer => answer is not null),
            null => null,
            _ => FindAnswer(exception.InnerException),
        };

    /// <summary>The innermost message, which is the one that says something.</summary>
    public static string Reason(Exception exception)
    {
        while ((exception is AggregateException { InnerExceptions: [var first, ..] } ? first : exception.InnerException) is { } inner)
        {
            exception = inner;
        }

        return exception.Message.TrimEnd('.', ' ') + ".";
    }
}
