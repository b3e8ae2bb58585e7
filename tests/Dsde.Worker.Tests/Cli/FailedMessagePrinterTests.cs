using System.CommandLine;
using Dsde.Pipeline.Messaging.ErrorQueues;
using Dsde.Worker.Cli;

namespace Dsde.Worker.Tests.Cli;

public sealed class FailedMessagePrinterTests
{
    private static readonly FailedMessage Message = new(
        "q",
        3,
        Guid.Parse("6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        null,
        "not known",
        null,
        80
    );

    [Fact]
    public void The_table_has_a_row_per_message()
    {
        var text = Print([Message with { Reason = "It is [cold].", ExceptionType = "A.ColdException" }], total: 7, asJson: false);

        text.ShouldContain(Message.JobId.ToString()!);
        text.ShouldContain("It is [cold].");
        text.ShouldContain("ColdException");
        text.ShouldContain("7 messages, 6 of them not shown; give a higher --limit");
    }

    [Fact]
    public void As_JSON_every_message_is_a_line()
    {
        var text = Print([Message, Message], total: 2, asJson: true);

        text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .ShouldBe(
                Enumerable.Repeat(
                    $$"""{"queue":"q","position":3,"jobId":"{{Message.JobId}}","failedAt":null"""
                        + $$""","reason":"{{Message.Reason}}","exceptionType":null,"bytes":{{Message.Bytes}}}""",
                    2
                )
            );
    }

    private static string Print(IReadOnlyList<FailedMessage> messages, long total, bool asJson)
    {
        using var output = new StringWriter();
        FailedMessagePrinter.Print(new InvocationConfiguration { Output = output }, messages, total, asJson);
        return output.ToString();
    }
}
