using System.CommandLine;
using Dsde.Batches.Files;
using Dsde.Batches.Files.Results;
using Dsde.Batches.Following;
using Dsde.Batches.Reporting;
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
        var found = await client.AskAsync(store => WriteAsync(store, batchId, file, folder, cancellationToken), cancellationToken);
        foreach (var line in found.Written.Describe(folder).Concat(found.Describe(batchId, file)))
        {
            await run.Output.WriteLineAsync(line);
        }

        return found.Written.ErrorCount == 0 && found.IsComplete ? ExitCodes.Success : ExitCodes.JobsFailed;
    }

    private static async Task<Found> WriteAsync(
        IJobStore store,
        Guid batchId,
        JobFile? file,
        string folder,
        CancellationToken cancellationToken
    )
    {
        var batch = await FindBatchAsync(store, batchId, cancellationToken);
        var jobs = new StoredJobs(store);
        var files = new ResultFiles(folder, jobs);
        if (file is null)
        {
            return new Found(batch.JobCount, await files.WriteAsync(batchId, cancellationToken), AbsentJobs.None);
        }

        var written = await files.WriteAsync(file.ReadAsync(cancellationToken), file.Defaults, batch.IsComplete, cancellationToken);
        batch = await FindBatchAsync(store, batchId, cancellationToken);
        if (batch.Running + batch.Ended <= written.KnownCount && (batch.JobCount ?? 0) <= written.JobLineCount)
        {
            return new Found(batch.JobCount, written, AbsentJobs.None);
        }

        var absent = await AbsentJobs.FindAsync(file.ReadAsync(cancellationToken), jobs, batchId, cancellationToken);
        return new Found(batch.JobCount, written, absent.WithUnseen(batch.JobCount, written.JobLineCount));
    }

    private static async Task<BatchProgress> FindBatchAsync(IJobStore store, Guid batchId, CancellationToken cancellationToken)
    {
        if (await store.FindBatchAsync(batchId, cancellationToken) is { } batch)
        {
            return batch;
        }

        throw new ExpectedFailureException(
            await store.IsJobKnownAsync(batchId, cancellationToken)
                ? $"{batchId} is a job, not a batch. Ask for it with: dsde status {batchId}"
                : $"Batch {batchId} is unknown here. Check the id, and that this is the database it is in."
        );
    }

    /// <summary>
    /// How far the batch is, by what was written: jobs go on ending meanwhile, and what is said has to agree with the lines.
    /// </summary>
    /// <param name="JobCount">Jobs of the batch; null if nobody said.</param>
    /// <param name="Written">The lines.</param>
    /// <param name="Absent">Jobs that have none because they are not in the file.</param>
    private sealed record Found(int? JobCount, WrittenResults Written, AbsentJobs Absent)
    {
        public bool IsComplete => EndedCount >= JobCount;

        private int EndedCount => Written.EndedCount + Absent.EndedCount;

        public IEnumerable<string> Describe(Guid batchId, JobFile? file)
        {
            if (Absent.Count > 0)
            {
                yield return $"{Quantity.Of(Absent.Count, "job of the batch is", "jobs of the batch are")} not in {file?.Path}"
                    + $"{(file?.Limit is { } limit ? $" with --limit {limit}" : "")}: {Absent.Describe()}; "
                    + $"for the results of all: {CommandText.Join("dsde", "results", $"{batchId}")}";
            }

            if (!IsComplete)
            {
                yield return JobCount is { } count
                    ? $"of {Quantity.Of(count, "job")} {Quantity.Of(EndedCount, "has", "have")} ended"
                    : $"of an unknown number of jobs {Quantity.Of(EndedCount, "has", "have")} ended";
            }
        }
    }
}
