using Dsde.Pipeline.Messaging;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Tests.Messaging;

public sealed class MessageCopyTests
{
    [Fact]
    public void A_copy_has_what_its_sender_set_but_for_what_the_broker_has_added_or_acts_on()
    {
        var message = new BasicProperties
        {
            MessageId = "one",
            UserId = "somebody",
            Headers = new Dictionary<string, object?>
            {
                ["traceparent"] = "00-1",
                ["x-delivery-count"] = 3,
                ["CC"] = new List<object?> { "another-queue" },
                ["BCC"] = new List<object?> { "another-queue" },
            },
        };

        var copy = MessageCopy.Of(message);

        copy.MessageId.ShouldBe("one");
        copy.IsUserIdPresent().ShouldBeFalse();
        copy.Headers.ShouldNotBeNull().Keys.ShouldBe(["traceparent"]);
        message.IsUserIdPresent().ShouldBeTrue();
    }
}
