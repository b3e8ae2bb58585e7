using System.CommandLine;
using System.Globalization;
using Dsde.Batches.Files;
using Dsde.Batches.Files.Results;
using Dsde.Batches.Following;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline;
using Dsde.Pipeline.Telemetry;
using Dsde.Worker.Embedded;

namespace Dsde.Worker.Cli.Clients;

/// <summary><c>dsde results BATCH [FILE]</c>: the results of a submitted batch.</summary>
internal sealed class ResultsCommand : ClientCommand
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
        AddAll(_batchId, _file, _out, _limit);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ClientRun run, CancellationToken cancellationToken)
    {
        var arguments = run.Arguments;
        var batchId = arguments.GetRequiredValue(_batchId);
        var folder = arguments.GetRequiredValue(_out);
        JobFile? file = null;
        if (arguments.GetValue(_file) is { } path)
        {
            // What the lines left to the submitter is in the database.
            file = await JobFile.OpenAsync(
                path,
                arguments.GetValue(_limit),
                new BatchDefaults { BatchId = batchId, AreForgotten = true },
                cancellationToken
            );
            file.RequireNotIn(folder);
            await file.CountAsync(cancellationToken);
        }

        await using var client = await BatchClient.OpenAsync(run.Patience, cancellationToken);
        var (batch, written) = await client.AskAsync(
            store => WriteAsync(store, batchId, file, folder, cancellationToken),
            cancellationToken
        );
        var output = run.Output;
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

    private static async Task<(BatchProgress Batch, WrittenResults Written)> WriteAsync(
        IJobStore store,
        Guid batchId,
        JobFile? file,
        string folder,
        CancellationToken cancellationToken
    )
    {
        var batch =
            await store.FindBatchAsync(batchId, cancellationToken)
            ?? throw new ExpectedFailureException(
                $"Batch {batchId} is unknown here. Check the id, and that this is the database it is in."
            );
        var files = new ResultFiles(folder, new StoredJobs(store));
        return (
            batch,
            file is null
                ? await files.WriteAsync(batchId, cancellationToken)
                : await files.WriteAsync(file.ReadAsync(cancellationToken), file.Defaults, batch.IsComplete, cancellationToken)
        );
    }
}
