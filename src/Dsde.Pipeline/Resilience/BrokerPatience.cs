using System.Threading.Channels;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;
using MassTransit;
using RabbitMQ.Client.Exceptions;
using PublishException = RabbitMQ.Client.Exceptions.PublishException;

namespace Dsde.Pipeline.Resilience;

/// <summary>Waits while the broker is away.</summary>
internal sealed class BrokerPatience(TimeProvider time, ILogger<BrokerPatience> logger)
    : ServerPatience(time, logger.BrokerAway, logger.BrokerBack)
{
    /// <inheritdoc/>
    protected override bool IsPassing(Exception exception) => IsLost(exception);

    /// <summary>Whether the broker has answered: it did not take a message, or closed the channel for a reason.</summary>
    public static bool IsRefusal(Exception exception) =>
        exception is PublishException || (exception is OperationInterruptedException answer && BrokerRefusal.IsOne(answer.ShutdownReason));

    /// <summary>
    /// A connection or channel that has gone says so in many ways, one of them being that the operation was cancelled.
    /// </summary>
    public static bool IsLost(Exception exception) =>
        exception
            is RabbitMQClientException
                or ChannelClosedException
                or IOException
                or TimeoutException
                or OperationCanceledException
                or ObjectDisposedException
                or MassTransitException
                or ExpectedFailureException;

    /// <summary>A broker that refuses something is there, and an operation that was cancelled has its reason elsewhere.</summary>
    protected override bool IsOutage(Exception exception) => exception is not OperationCanceledException && !IsRefusal(exception);
}
