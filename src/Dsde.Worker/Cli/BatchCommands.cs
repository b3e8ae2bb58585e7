using System.CommandLine;
using System.Globalization;
using Dsde.Batches.Files;
using Dsde.Batches.Files.Results;
using Dsde.Batches.Following;
using Dsde.Contracts;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline;
using Dsde.Pipeline.Telemetry;
using Dsde.Worker.Embedded;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde cancel ID</c>: calls a batch or a job off.</summary>
internal sealed class CancelCommand : DsdeCommand
{
    private readonly Argument<Guid> _id = new("ID") { Description = "Id of a batch or a job." };
    private readonly Option<bool> _ahead = new("--ahead")
    {
        Description = "Mark an id that nobody knows yet as well, as that of a job: the job ends when it comes.",
    };
    private readonly Option<bool> _batch = new("--batch") { Description = "With --ahead: the id is that of a batch." };

    public CancelCommand()
        : base(
            "cancel",
            "Call off a batch or a job: what has ended stays, what runs stops.",
            "dsde cancel 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11",
            "dsde cancel 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11 --ahead --batch"
        )
    {
        Add(_id);
        Add(_ahead);
        Add(_batch);
        Validators.Add(result =>
        {
            if (result.GetValue(_batch) && !result.GetValue(_ahead))
            {
                result.AddError("--batch is given without --ahead; what is known says by itself whether it is a batch.");
            }
        });
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var id = arguments.GetRequiredValue(_id);
        await using var client = await BatchClient.ConnectAsync(null, cancellationToken);
        var isBatch = await client.Store.IsBatchKnownAsync(id, cancellationToken);
        if (!isBatch && !await client.Store.IsJobKnownAsync(id, cancellationToken))
        {
            isBatch = arguments.GetValue(_ahead)
                ? arguments.GetValue(_batch)
                : throw new ExpectedFailureException(
                    $"{id} is unknown: no batch has that id, and no worker has seen a job of it. Nothing was changed. "
                        + "To call off what still waits in the queue, or is yet to be sent, give --ahead (and --batch if it is a batch)."
                );
        }

        var output = arguments.InvocationConfiguration.Output;
        if (isBatch)
        {
            await client.Store.CancelBatchAsync(id, cancellationToken);
            await client.Bus.Publish(new CancelGenerationBatch { BatchId = id }, cancellationToken);
        }
        else if (await client.Store.CancelJobAsync(id, cancellationToken))
        {
            await client.Bus.Publish(new CancelGenerationJob { JobId = id }, cancellationToken);
        }
        else
        {
            await output.WriteLineAsync($"job {id} has ended already; ask for it with: dsde status {id}");
            return ExitCodes.Success;
        }

        await output.WriteLineAsync($"{(isBatch ? "batch" : "job")} {id}: marked to be called off, and workers were told");
        return ExitCodes.Success;
    }
}

/// <summary><c>dsde results BATCH [FILE]</c>: the results of a submitted batch.</summary>
internal sealed class ResultsCommand : DsdeCommand
{
    private readonly Argument<Guid> _batchId = new("BATCH") { Description = "Id of the batch." };
    private readonly Argument<string?> _file = FileArguments.CreateOptionalFile(
        "The job file it was submitted from: results come in its order, and lines that are no jobs are among the errors (default: none)."
    );
    private readonly Option<int?> _limit = FileArguments.CreateLimit("With FILE: the limit it was submitted with.");
    private readonly Option<string> _out = FileArguments.CreateOut("Folder for results.jsonl and errors.jsonl (default: the current one).");

    public ResultsCommand()
        : base(
            "results",
            "Write the results of a batch, as far as it is.",
            "dsde results 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11 --out results/",
            "dsde results 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11 samples/mixed.jsonl --out results/"
        )
    {
        Add(_batchId);
        Add(_file);
        Add(_out);
        Add(_limit);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var batchId = arguments.GetRequiredValue(_batchId);
        var folder = arguments.GetRequiredValue(_out);
        JobFile? file = null;
        if (arguments.GetValue(_file) is { } path)
        {
            // What the lines left to the submitter is in the database.
            file = new JobFile(path, arguments.GetValue(_limit), new BatchDefaults { BatchId = batchId, AreForgotten = true });
            file.RequireNotIn(folder);
            await file.CountAsync(cancellationToken);
        }

        await using var client = await BatchClient.OpenDatabaseAsync(cancellationToken);
        var batch =
            await client.Store.FindBatchAsync(batchId, cancellationToken)
            ?? throw new ExpectedFailureException(
                $"Batch {batchId} is unknown here. Check the id, and that this is the database it is in."
            );
        var files = new ResultFiles(folder, new StoredJobs(client.Store));
        var written = file is null
            ? await files.WriteAsync(batchId, cancellationToken)
            : await files.WriteAsync(file.ReadAsync(cancellationToken), file.Defaults, batch.IsComplete, cancellationToken);
        var output = arguments.InvocationConfiguration.Output;
        await output.WriteLineAsync($"{written.ResultCount} results and {written.ErrorCount} lines without one in {folder}");
        foreach (var remark in new[] { written.MissingTexts, written.Mismatches })
        {
            if (remark is not null)
            {
                await output.WriteLineAsync(remark);
            }
        }

        if (!batch.IsComplete)
        {
            await output.WriteLineAsync(
                $"of {batch.JobCount?.ToString(CultureInfo.InvariantCulture) ?? "an unknown number of"} jobs {batch.Ended} have ended"
            );
        }

        return written.ErrorCount == 0 && batch.IsComplete ? ExitCodes.Success : ExitCodes.JobsFailed;
    }
}
