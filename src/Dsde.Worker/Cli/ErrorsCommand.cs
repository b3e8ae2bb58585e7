using System.CommandLine;
using Dsde.Batches.Reporting;
using Dsde.Persistence;
using Dsde.Pipeline;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Messaging.ErrorQueues;
using Dsde.Pipeline.Messaging.Taking;
using Dsde.Worker.Cli.Clients;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Spectre.Console;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde errors list|requeue|drop</c>: the messages that wait for an operator.</summary>
internal sealed class ErrorsCommand : DsdeCommand
{
    private const int StandardLimit = 100;

    private readonly Option<string[]> _queues = new("--queue")
    {
        Description = "This queue only; may be given more than once (default: all error and dead-letter queues).",
        HelpName = "NAME",
    };
    private readonly Option<Guid?> _job = new("--job") { Description = "The messages of this job.", HelpName = "ID" };
    private readonly Option<bool> _all = new("--all") { Description = "All messages, also those that don't say which job they are about." };
    private readonly Option<int?> _limit = FileArguments.CreateLimit($"Show at most N messages of each queue (default {StandardLimit}).");
    private readonly Option<bool> _json = new("--json") { Description = "Write a line of JSON per message." };
    private readonly Option<bool> _yes = new("--yes") { Description = "Don't ask before dropping." };

    public ErrorsCommand()
        : base("errors", "Look after messages that ended in the error and dead-letter queues.")
    {
        _queues.AcceptOnlyFromAmong([.. ErrorQueue.Names]);
        var list = new DsdeCommand(
            "list",
            "Show the messages and why they are there. They stay where they are.",
            "dsde errors list",
            "dsde errors list --json --limit 1000"
        )
        {
            _queues,
            _limit,
            _json,
        };
        var requeue = new DsdeCommand(
            "requeue",
            "Give messages to the workers again. A job that has failed is open again.",
            "dsde errors requeue --job 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11",
            "dsde errors requeue --all --queue dsde-generation-jobs-dead"
        )
        {
            _job,
            _all,
            _queues,
        };
        var drop = new DsdeCommand(
            "drop",
            "Delete messages. What the database knows of their jobs stays.",
            "dsde errors drop --job 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11",
            "dsde errors drop --all --yes"
        )
        {
            _job,
            _all,
            _queues,
            _yes,
        };
        foreach (var verb in (Command[])[requeue, drop])
        {
            verb.Validators.Add(result =>
            {
                // Not their values: here it isn't known yet whether they can be read.
                var isAll = result.GetResult(_all) is { Implicit: false };
                if (isAll == result.GetResult(_job) is { Implicit: false })
                {
                    result.AddError(
                        isAll ? "--all and --job are both given; give one of them." : "Neither --job nor --all is given; give one of them."
                    );
                }
            });
        }

        list.SetAction((arguments, cancellationToken) => WithBrokerAsync(ListAsync, arguments, cancellationToken));
        requeue.SetAction((arguments, cancellationToken) => WithBrokerAsync(RequeueAsync, arguments, cancellationToken));
        drop.SetAction((arguments, cancellationToken) => WithBrokerAsync(DropAsync, arguments, cancellationToken));
        Add(list);
        Add(requeue);
        Add(drop);
    }

    private static async Task<int> WithBrokerAsync(
        Func<ParseResult, CancellationToken, Task<int>> run,
        ParseResult arguments,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await run(arguments, cancellationToken);
        }
        catch (Exception exception) when (BrokerFailure.IsOne(exception))
        {
            throw new ExpectedFailureException(
                BrokerFailure.Create(new ProgramSettings().RabbitMq(), exception).Message
                    + " Messages that are not named above are where they were.",
                exception
            );
        }
    }

    private async Task<int> ListAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        await using var connection = await PlainConnection.OpenAsync(new ProgramSettings().RabbitMq(), cancellationToken);
        var reader = new QueueReader(connection);
        var shown = new List<FailedMessage>();
        var total = 0L;
        foreach (var queue in Queues(arguments))
        {
            total += await reader.CountAsync(queue, cancellationToken);
            await foreach (var message in reader.TakeAsync(queue, (uint)(arguments.GetValue(_limit) ?? StandardLimit), cancellationToken))
            {
                shown.Add(FailedMessage.Read(message));
            }
        }

        FailedMessagePrinter.Print(arguments.InvocationConfiguration, shown, total, arguments.GetValue(_json));
        return ExitCodes.Success;
    }

    private async Task<int> RequeueAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        await using var database = await BatchClient.OpenAsync(Patience.None, cancellationToken);
        var rabbitMq = new ProgramSettings().RabbitMq();
        await using var publisher = new ConfirmingPublisher(rabbitMq, new QueueTopology(rabbitMq, models: []));
        return await ForEachAsync(
            arguments,
            await publisher.ConnectAsync(cancellationToken),
            "requeued",
            async (message, description) =>
            {
                var isReopened = description.JobId is { } jobId && await database.Store.ReopenAsync(jobId, cancellationToken);
                await ErrorQueue.SendAgainAsync(message, publisher, cancellationToken);
                return isReopened ? ", its failure is taken back" : "";
            },
            cancellationToken
        );
    }

    private async Task<int> DropAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        await using var connection = await PlainConnection.OpenAsync(new ProgramSettings().RabbitMq(), cancellationToken);
        if (!arguments.GetValue(_yes) && !await ConfirmAsync(arguments, connection, cancellationToken))
        {
            await arguments.InvocationConfiguration.Output.WriteLineAsync("nothing was dropped");
            return ExitCodes.Success;
        }

        return await ForEachAsync(
            arguments,
            connection,
            "dropped",
            async (message, description) =>
            {
                await message.AcknowledgeAsync(cancellationToken);
                return $": {description.Reason}";
            },
            cancellationToken
        );
    }

    /// <summary>Does something with every message that is meant, and says so.</summary>
    private async Task<int> ForEachAsync(
        ParseResult arguments,
        PlainConnection connection,
        string done,
        Func<TakenMessage, FailedMessage, Task<string>> act,
        CancellationToken cancellationToken
    )
    {
        var (output, wanted, count) = (arguments.InvocationConfiguration.Output, arguments.GetValue(_job), 0);
        foreach (var queue in Queues(arguments))
        {
            await foreach (var message in new QueueReader(connection).TakeAsync(queue, uint.MaxValue, cancellationToken))
            {
                var description = FailedMessage.Read(message);
                if (wanted is null || description.JobId == wanted)
                {
                    var remark = await act(message, description);
                    var what = description.JobId is { } jobId ? $"job {jobId}" : $"a message of {description.Bytes} bytes without a job id";
                    await output.WriteLineAsync($"{done} {what} from {queue}{remark}");
                    count++;
                }
            }
        }

        if (wanted is not null && count == 0)
        {
            throw new ExpectedFailureException($"No message of job {wanted} is in {string.Join(", ", Queues(arguments))}.");
        }

        await output.WriteLineAsync($"{Quantity.Of(count, "message")} {done}");
        return ExitCodes.Success;
    }

    private async Task<bool> ConfirmAsync(ParseResult arguments, PlainConnection connection, CancellationToken cancellationToken)
    {
        if (
            !ReferenceEquals(arguments.InvocationConfiguration.Output, Console.Out)
            || Console.IsInputRedirected
            || Console.IsOutputRedirected
        )
        {
            throw new ExpectedFailureException("What is dropped is gone, and there is no terminal to ask at. Give --yes.");
        }

        var total = 0L;
        foreach (var queue in Queues(arguments))
        {
            total += await new QueueReader(connection).CountAsync(queue, cancellationToken);
        }

        var what = arguments.GetValue(_job) is { } jobId ? $"the messages of job {jobId}" : $"all messages ({total})";
        return await AnsiConsole.ConfirmAsync(
            $"Drop {what} of {Markup.Escape(string.Join(", ", Queues(arguments)))}?",
            defaultValue: false,
            cancellationToken
        );
    }

    private IEnumerable<string> Queues(ParseResult arguments) =>
        arguments.GetValue(_queues) is { Length: > 0 } names ? ErrorQueue.Names.Intersect(names, StringComparer.Ordinal) : ErrorQueue.Names;
}
