using System.CommandLine;
using Dsde.Batches.Files;
using Dsde.Batches.Following;
using Dsde.Batches.Reporting;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline;
using Dsde.Pipeline.Messaging;
using Dsde.Worker.Embedded;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde submit FILE</c>: a job file to the workers.</summary>
internal sealed class SubmitCommand : DsdeCommand
{
    private static readonly TimeSpan DatabaseCheckInterval = TimeSpan.FromSeconds(2);

    private readonly Argument<string> _file = FileArguments.CreateFile("Job file: JSON lines in the OpenAI batch format.");
    private readonly Option<bool> _wait = new("--wait") { Description = "Follow the batch to its end and write its results." };
    private readonly Option<string> _out = FileArguments.CreateOut(
        "With --wait: folder for results.jsonl and errors.jsonl (default: the current one)."
    );
    private readonly Option<Guid?> _batchId = new("--batch-id")
    {
        Description = "Id of the batch (default: a new one). The same file sent again under the same id is the same jobs.",
        HelpName = "UUID",
    };
    private readonly Option<string?> _model = new("--model")
    {
        Description = "Alias to send every job under, whatever its line names.",
        HelpName = "NAME",
    };
    private readonly Option<string?> _policy = new("--policy") { Description = "Policy of jobs that name none.", HelpName = "POLICY" };
    private readonly Option<long?> _seed = new("--seed")
    {
        Description = "Jobs without a seed get this one plus their line number.",
        HelpName = "N",
    };
    private readonly Option<int?> _limit = FileArguments.CreateLimit("Send the first N jobs only.");

    public SubmitCommand()
        : base(
            "submit",
            "Send a job file to the workers, through RabbitMQ.",
            "dsde submit samples/mixed.jsonl --wait --out results/",
            "dsde submit jobs.jsonl --batch-id 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11"
        )
    {
        foreach (var symbol in (Option[])[_wait, _out, _batchId, _model, _policy, _seed, _limit])
        {
            Add(symbol);
        }

        Add(_file);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var batchId = arguments.GetValue(_batchId) ?? Guid.NewGuid();
        var file = new JobFile(
            arguments.GetRequiredValue(_file),
            arguments.GetValue(_limit),
            new BatchDefaults
            {
                BatchId = batchId,
                Model = arguments.GetValue(_model),
                Policy = arguments.GetValue(_policy),
                Seed = arguments.GetValue(_seed),
            }
        );
        var folder = arguments.GetRequiredValue(_out);
        file.RequireNotIn(folder);
        var (jobCount, errorCount) = await file.CountAsync(cancellationToken);
        var output = arguments.InvocationConfiguration.Output;
        await using var client = await BatchClient.ConnectAsync(batchId, cancellationToken);
        if (await client.Store.FindBatchAsync(batchId, cancellationToken) is { } known && known.JobCount != jobCount)
        {
            throw new ExpectedFailureException(
                $"Batch {batchId} was submitted before with {known.JobCount} jobs, this file has {jobCount}. Leave --batch-id out to submit it as a batch of its own."
            );
        }

        await client.Store.RegisterBatchAsync(new NewBatch(batchId, jobCount, Path.GetFileName(file.Path)), cancellationToken);
        client.Follower.Expect(jobCount);
        await new JobFeeder(client.Bus, job => Lane.Of(job).RabbitMqAddress).SendAsync(
            file.ReadAsync(cancellationToken),
            window: null,
            client.Follower.Ends,
            _ => { },
            cancellationToken
        );
        await output.WriteLineAsync($"batch {batchId}: {jobCount} jobs sent{(errorCount > 0 ? $", {errorCount} lines are no jobs" : "")}");
        if (!arguments.GetValue(_wait))
        {
            var limit = arguments.GetValue(_limit) is { } number ? $" --limit {number}" : "";
            await output.WriteLineAsync($"follow it with: dsde status {batchId}, then: dsde results {batchId} {file.Path}{limit}");
            return errorCount == 0 ? ExitCodes.Success : ExitCodes.JobsFailed;
        }

        try
        {
            await new ProgressDisplay(Consoles.Create(arguments.InvocationConfiguration), output, TimeProvider.System).ShowAsync(
                FollowAsync(client, batchId, cancellationToken),
                jobCount,
                client.Tally.Sample
            );
        }
        catch (OperationCanceledException)
        {
            await arguments.InvocationConfiguration.Error.WriteLineAsync(
                $"dsde: interrupted; the batch goes on. Ask for it with: dsde status {batchId}, call it off with: dsde cancel {batchId}"
            );
            throw;
        }

        var written = await new ResultFiles(folder, new StoredJobEnds(client.Store)).WriteAsync(
            file.ReadAsync(cancellationToken),
            cancellationToken
        );
        await output.WriteLineAsync($"{written.ResultCount} results in {Path.Combine(folder, ResultFiles.ResultsName)}");
        if (written.MissingTexts is { } missing)
        {
            await output.WriteLineAsync(missing);
        }

        if (written.ErrorCount > 0)
        {
            await output.WriteLineAsync($"{written.ErrorCount} lines without a result: see {Path.Combine(folder, ResultFiles.ErrorsName)}");
        }

        return written.ErrorCount == 0 ? ExitCodes.Success : ExitCodes.JobsFailed;
    }

    /// <summary>The events tell when all is done; the database is asked as well, for events told before this program listened.</summary>
    private static async Task FollowAsync(BatchClient client, Guid batchId, CancellationToken cancellationToken)
    {
        while (
            await Task.WhenAny(client.Follower.AllEnded, Task.Delay(DatabaseCheckInterval, cancellationToken)) != client.Follower.AllEnded
        )
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await client.Store.FindBatchAsync(batchId, cancellationToken) is { IsComplete: true })
            {
                return;
            }
        }
    }
}
