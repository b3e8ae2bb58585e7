using System.CommandLine;
using Dsde.Batches.Files;
using Dsde.Batches.Files.Results;
using Dsde.Batches.Following;
using Dsde.Batches.Reporting;
using Dsde.Contracts;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline;
using Dsde.Pipeline.Messaging;
using Dsde.Worker.Embedded;

namespace Dsde.Worker.Cli.Clients;

/// <summary><c>dsde submit FILE</c>: a job file to the workers.</summary>
internal sealed class SubmitCommand : ClientCommand
{
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
    private readonly Option<string?> _proposer = new("--proposer")
    {
        Description = "Proposer of jobs that name none: draft, lookup or both.",
        HelpName = "PROPOSER",
    };
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
        AddAll(_file, _wait, _out, _batchId, _model, _policy, _proposer, _seed, _limit);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ClientRun run, CancellationToken cancellationToken)
    {
        var arguments = run.Arguments;
        var batchId = arguments.GetValue(_batchId) ?? Guid.NewGuid();
        using var file = await JobFile.OpenAsync(
            arguments.GetRequiredValue(_file),
            arguments.GetValue(_limit),
            new BatchDefaults
            {
                BatchId = batchId,
                Model = arguments.GetValue(_model),
                Policy = arguments.GetValue(_policy),
                Proposer = arguments.GetValue(_proposer),
                Seed = arguments.GetValue(_seed),
            },
            cancellationToken
        );
        var folder = arguments.GetRequiredValue(_out);
        file.RequireNotIn(folder);
        var (jobCount, errorCount, _) = await file.CountAsync(cancellationToken);
        var (again, results) = (DescribeAgain(arguments, batchId), DescribeResults(arguments, file));
        run.WayOn = $"Nothing was sent. Go on with: {again}";
        await using var client = await BatchClient.OpenAsync(run.Patience, cancellationToken, followed: batchId);
        await client.ConnectAsync(cancellationToken);
        var changed = await client.AskAsync(store => CompareAsync(store, file, jobCount, cancellationToken), cancellationToken);

        run.Begin(
            $"Not all jobs were sent; those that were go on. Send the others with: {again}; get what there is with: {results}; "
                + $"call them off with: dsde cancel {batchId}"
        );
        var batch = new NewBatch(batchId, jobCount, Path.GetFileName(file.Path));
        await client.TellAsync(store => store.RegisterBatchAsync(batch, cancellationToken), cancellationToken);
        client.Follower.Expect(jobCount, changed.Ended);
        var lanes = new HashSet<Lane>();
        await new JobFeeder(client.SendAsync).SendAsync(
            file.ReadAsync(cancellationToken).Where(line => !changed.Conflicts.Contains(line.JobId)),
            window: null,
            client.Follower.Ends,
            job => AddLane(lanes, job),
            cancellationToken
        );

        run.Begin(
            $"All jobs were sent and go on. Get their results with: {results}; wait for those that are yet to end with: {again}; "
                + $"call them off with: dsde cancel {batchId}"
        );
        await DescribeSentAsync(run.Output, batchId, jobCount, errorCount, changed.Conflicts.Count, client.RefusedCount);
        if (!arguments.GetValue(_wait))
        {
            if (await client.PeekAtLackAsync(lanes, cancellationToken) is { Length: > 0 } lack)
            {
                await run.Error.WriteLineAsync($"dsde: {lack}");
            }

            await run.Output.WriteLineAsync($"follow it with: dsde status {batchId}, then: {results}");
            return errorCount + changed.Conflicts.Count + client.RefusedCount == 0 ? ExitCodes.Success : ExitCodes.JobsFailed;
        }

        if (jobCount > 0)
        {
            var watch = new BatchWatch(client, batchId, lanes, TimeProvider.System, run.Error);
            await new ProgressDisplay(Consoles.Create(arguments.InvocationConfiguration), run.Output, TimeProvider.System).ShowAsync(
                watch.WaitAsync(cancellationToken),
                jobCount,
                () => watch.IsOver ? client.Tally.Sample() with { Ended = jobCount } : client.Tally.Sample()
            );
        }

        return await SummarizeAsync(
            run.Output,
            await client.AskAsync(store => WriteAsync(store, file, folder, cancellationToken), cancellationToken),
            folder
        );
    }

    /// <summary>What can have no queue fails, and nobody need read it.</summary>
    private static void AddLane(HashSet<Lane> lanes, SubmitGenerationJob job)
    {
        if (ModelAlias.IsValid(job.Model))
        {
            lanes.Add(Lane.Of(job));
        }
    }

    /// <summary>A file sent again under the id of a batch has to be the file of that batch.</summary>
    private static async Task<ChangedLines> CompareAsync(IJobStore store, JobFile file, int jobCount, CancellationToken cancellationToken)
    {
        var batchId = file.Defaults.BatchId;
        if (await store.FindBatchAsync(batchId, cancellationToken) is not { } known)
        {
            return ChangedLines.None;
        }

        if (known.JobCount is { } count && count != jobCount)
        {
            throw new ExpectedFailureException(
                $"Batch {batchId} was submitted before with {Quantity.Of(count, "job")}, this file has {jobCount}. "
                    + "Leave --batch-id out to submit it as a batch of its own."
            );
        }

        var changed = await ChangedLines.FindAsync(file.ReadAsync(cancellationToken), new StoredJobs(store), cancellationToken);
        return changed.KnownCount >= known.Running + known.Ended
            ? changed
            : throw new ExpectedFailureException(
                $"Batch {batchId} has at least {Quantity.Of(known.Running + known.Ended - changed.KnownCount, "job")} whose custom_id is "
                    + $"not in {file.Path}: it was submitted from another file. "
                    + "Leave --batch-id out to submit this one as a batch of its own."
            );
    }

    private static async Task<WrittenResults> WriteAsync(IJobStore store, JobFile file, string folder, CancellationToken cancellationToken)
    {
        var batch = await store.FindBatchAsync(file.Defaults.BatchId, cancellationToken);
        return await new ResultFiles(folder, new StoredJobs(store)).WriteAsync(
            file.ReadAsync(cancellationToken),
            file.Defaults,
            batch is { IsComplete: true },
            cancellationToken
        );
    }

    private static async Task DescribeSentAsync(
        TextWriter output,
        Guid batchId,
        int jobCount,
        int errorCount,
        int conflictCount,
        int refusedCount
    )
    {
        await output.WriteLineAsync(
            $"batch {batchId}: {Quantity.Of(jobCount - conflictCount - refusedCount, "job")} sent"
                + $"{(errorCount > 0 ? $", {Quantity.Of(errorCount, "line is no job", "lines are no jobs")}" : "")}"
        );
        if (refusedCount > 0)
        {
            await output.WriteLineAsync(
                $"{Quantity.Of(refusedCount, "job was not sent: it is", "jobs were not sent: they are")} larger than the broker takes "
                    + "(request_too_large)"
            );
        }

        if (conflictCount > 0)
        {
            await output.WriteLineAsync(
                Quantity.Of(conflictCount, "line was not sent: under its", "lines were not sent: under their")
                    + " custom_id the batch has another request (job_id_conflict)"
            );
        }
    }

    private static async Task<int> SummarizeAsync(TextWriter output, WrittenResults written, string folder)
    {
        foreach (var line in written.Describe(folder))
        {
            await output.WriteLineAsync(line);
        }

        return written.ErrorCount == 0 ? ExitCodes.Success : ExitCodes.JobsFailed;
    }

    /// <summary>The same command for the same batch: jobs that are there already are not done twice.</summary>
    private string DescribeAgain(ParseResult arguments, Guid batchId) =>
        CommandText.Of(arguments) + (arguments.GetValue(_batchId) is null ? $" {_batchId.Name} {batchId}" : "");

    /// <summary>With the file, unless it is one that can be read only once.</summary>
    private string DescribeResults(ParseResult arguments, JobFile file)
    {
        List<string> words = ["results", $"{file.Defaults.BatchId}"];
        if (!file.IsPipe)
        {
            words.Add(file.Path);
        }

        foreach (var option in (Option[])(file.IsPipe ? [_out] : [_limit, _out]))
        {
            if (arguments.GetResult(option) is { Implicit: false, Tokens: [{ Value: var value }] })
            {
                words.AddRange([option.Name, value]);
            }
        }

        return CommandText.Join("dsde", words);
    }
}
