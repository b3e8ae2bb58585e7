using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dsde.Worker.Messaging.ErrorQueues;
using Spectre.Console;

namespace Dsde.Worker.Cli;

/// <summary>Messages of error queues, for people and for programs.</summary>
internal static class FailedMessagePrinter
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <param name="configuration">Where to.</param>
    /// <param name="messages">Those that were looked at.</param>
    /// <param name="total">How many there are.</param>
    /// <param name="asJson">A line of JSON each instead of a table.</param>
    public static void Print(InvocationConfiguration configuration, IReadOnlyList<FailedMessage> messages, long total, bool asJson)
    {
        if (asJson)
        {
            foreach (var message in messages)
            {
                configuration.Output.WriteLine(JsonSerializer.Serialize(message, Json));
            }

            return;
        }

        if (messages.Count > 0)
        {
            Consoles.Create(configuration).Write(CreateTable(messages));
        }

        var rest = total - messages.Count;
        configuration.Output.WriteLine($"{total} {(total == 1 ? "message" : "messages")}{(rest > 0 ? $", {rest} of them not shown; give a higher --limit" : "")}");
    }

    private static Table CreateTable(IReadOnlyList<FailedMessage> messages)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("queue", "#", "since (UTC)", "job", "reason", "exception", "bytes");
        table.Columns[1].RightAligned().NoWrap();
        table.Columns[2].NoWrap();
        table.Columns[3].NoWrap();
        table.Columns[6].RightAligned().NoWrap();
        foreach (var message in messages)
        {
            table.AddRow(
                Markup.Escape(message.Queue),
                message.Position.ToString(CultureInfo.InvariantCulture),
                message.FailedAt?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "-",
                message.JobId?.ToString() ?? "-",
                Markup.Escape(message.Reason),
                Markup.Escape(message.ExceptionType?.Split('.')[^1] ?? "-"),
                message.Bytes.ToString("N0", CultureInfo.InvariantCulture));
        }

        return table;
    }
}
