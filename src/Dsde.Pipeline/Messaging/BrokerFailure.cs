using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging;

/// <summary>What went wrong with the broker, for people: whether it refused for good or may do the same later.</summary>
internal static class BrokerFailure
{
    /// <summary>Of what an operation on an open connection has thrown.</summary>
    public static ExpectedFailureException Create(RabbitMqOptions options, Exception exception) =>
        FindAnswer(exception) is { } answer
            ? IsFinal(answer.ShutdownReason)
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
            AggregateException { InnerExceptions: [var first, ..] } => FindAnswer(first),
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

    /// <summary>A broker that is stopping or starting says other things than one that does not let the user.</summary>
    private static bool IsFinal(ShutdownEventArgs? reason) =>
        reason?.ReplyCode switch
        {
            Constants.AccessRefused or Constants.NotAllowed or Constants.PreconditionFailed => true,
            Constants.NotFound => !reason.ReplyText.Contains("down or inaccessible", StringComparison.Ordinal),
            _ => false,
        };
}
