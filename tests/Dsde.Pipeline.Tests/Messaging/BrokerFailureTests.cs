using Dsde.Pipeline.Messaging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Tests.Messaging;

/// <summary>What a broker says while it stops or starts is no refusal.</summary>
public sealed class BrokerFailureTests
{
    private static readonly RabbitMqOptions Options = new() { Host = "broker", VirtualHost = "v" };

    [Theory]
    [InlineData(320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'", true)]
    [InlineData(541, "INTERNAL_ERROR - access to vhost 'v' refused for user 'guest': vhost 'v' is down", true)]
    [InlineData(404, "NOT_FOUND - queue 'q' in vhost 'v' process is stopped by supervisor or is down or inaccessible", true)]
    [InlineData(404, "NOT_FOUND - no queue 'q' in vhost 'v'", false)]
    [InlineData(403, "ACCESS_REFUSED - access to queue 'q' in vhost 'v' refused for user 'guest'", false)]
    [InlineData(406, "PRECONDITION_FAILED - inequivalent arg 'x-delivery-limit' for queue 'q' in vhost 'v'", false)]
    [InlineData(530, "NOT_ALLOWED - vhost v not found", false)]
    public void What_the_broker_says_passes_or_is_final(int code, string said, bool passes)
    {
        var answer = new OperationInterruptedException(new ShutdownEventArgs(ShutdownInitiator.Peer, (ushort)code, said));

        var failure = BrokerFailure.Create(Options, new BrokerUnreachableException(new AggregateException(answer)));

        (failure is BrokerUnavailableException).ShouldBe(passes);
        failure.Message.ShouldContain(said);
    }

    [Fact]
    public void A_broken_connection_is_told_with_its_innermost_reason() =>
        BrokerFailure
            .Create(Options, new IOException("wrapped", new IOException("Connection reset by peer")))
            .Message.ShouldBe("RabbitMQ at broker:5672 (virtual host v) does not answer as it should: Connection reset by peer.");
}
