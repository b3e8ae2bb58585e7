using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dsde.Batches.Reporting;
using Dsde.Pipeline.Messaging.ErrorQueues;
using Dsde.Pipeline.Telemetry;
using Spectre.Console;

namespace Dsde.Worker.Cli;

/// <summary>Messages of error queues, for people and for programs.</summary>
internal static class FailedMessagePrinter
{
    private const int UnbrokenWidth = 1000; // where no terminal limits it, a message is a line

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

        var console = Consoles.Create(configuration);
        if (!ReferenceEquals(console, AnsiConsole.Console))
        {
            console.Profile.Width = UnbrokenWidth;
        }

        foreach (var queue in messages.GroupBy(message => message.Queue))
        {
            configuration.Output.WriteLine(queue.Key);
            console.Write(CreateTable(queue));
        }

        var rest = total - messages.Count;
        configuration.Output.WriteLine(
            $"{Quantity.Of(total, "message")}{(rest > 0 ? $", {rest} of them not shown; give a higher --limit" : "")}"
        );
    }

    private static Table CreateTable(IEnumerable<FailedMessage> messages)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("#", "since (UTC)", "job", "bytes", "reason", "exception");
        foreach (var column in table.Columns.Take(4))
        {
            column.NoWrap();
        }

        table.Columns[0].RightAligned();
        table.Columns[3].RightAligned();
        foreach (var message in messages)
        {
            table.AddRow(
                message.Position.ToString(CultureInfo.InvariantCulture),
                message.FailedAt?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "-",
                message.JobId?.ToString() ?? "-",
                message.Bytes.ToString("N0", CultureInfo.InvariantCulture),
                Markup.Escape(message.Reason),
                Markup.Escape(message.ExceptionType?.Split('.')[^1] ?? "-")
            );
        }

        return table;
    }
}
