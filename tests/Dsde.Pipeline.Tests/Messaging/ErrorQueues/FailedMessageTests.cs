using System.Text;
using Dsde.Pipeline.Messaging.ErrorQueues;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Tests.Messaging.ErrorQueues;

public sealed class FailedMessageTests
{
    private static readonly Guid JobId = Guid.Parse("6f9619ff-8b86-d011-b42d-00c04fc964ff");
    private static readonly byte[] Body = Encoding.UTF8.GetBytes(
        $"{{\"jobId\":\"{JobId}\",\"model\":\"m\",\"prompt\":\"do not show me\"}}"
    );

    [Fact]
    public void A_message_that_a_worker_moved_has_the_workers_reason()
    {
        var message = Read(
            new()
            {
                ["MT-Fault-Message"] = "It is cold."u8.ToArray(),
                ["MT-Fault-ExceptionType"] = "A.ColdException"u8.ToArray(),
                ["MT-Fault-Timestamp"] = "2026-03-04T05:06:07.0000000Z"u8.ToArray(),
            }
        );

        message.ShouldBe(
            new FailedMessage(
                "q",
                3,
                JobId,
                new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero),
                "It is cold.",
                "A.ColdException",
                Body.Length
            )
        );
    }

    [Theory]
    [InlineData("delivery_limit", "came back too often from jobs")]
    [InlineData("expired", "its time to live ran out in jobs")]
    [InlineData("rejected", "rejected by a consumer of jobs")]
    [InlineData("maxlen", "dead-lettered from jobs: maxlen")]
    public void A_dead_letter_has_the_brokers_reason_whatever_its_sender_wrote(string reason, string shown)
    {
        var death = new Dictionary<string, object?>
        {
            ["reason"] = Encoding.UTF8.GetBytes(reason),
            ["queue"] = "jobs"u8.ToArray(),
            ["time"] = new AmqpTimestamp(1_000_000),
        };

        var message = Read(
            new()
            {
                ["x-death"] = new List<object> { death },
                ["MT-Fault-Message"] = "forged"u8.ToArray(),
            }
        );

        message.Reason.ShouldStartWith(shown);
        message.FailedAt.ShouldBe(DateTimeOffset.FromUnixTimeSeconds(1_000_000));
    }

    [Fact]
    public void What_headers_say_can_not_play_with_a_terminal_or_fill_it()
    {
        var message = Read(
            new()
            {
                ["MT-Fault-Message"] = Encoding.UTF8.GetBytes("\u001b[31m" + new string('x', 10_000)),
                ["MT-Fault-Timestamp"] = 7,
                ["x-death"] = "none",
            }
        );

        message.Reason.ShouldStartWith("[31mxxx");
        message.Reason.Length.ShouldBeLessThan(600);
        message.FailedAt.ShouldBeNull();
    }

    [Fact]
    public void A_body_that_is_no_JSON_has_no_job_id() =>
        FailedMessage.Read("q", 1, new BasicProperties(), "\0\u0001"u8.ToArray()).JobId.ShouldBeNull();

    private static FailedMessage Read(Dictionary<string, object?> headers) =>
        FailedMessage.Read("q", 3, new BasicProperties { Headers = headers }, Body);
}
