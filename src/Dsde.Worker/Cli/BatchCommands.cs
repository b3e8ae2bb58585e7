using System.CommandLine;
using Dsde.Batches.Files;
using Dsde.Batches.Following;
using Dsde.Contracts;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline;
using Dsde.Pipeline.Telemetry;
using Dsde.Worker.Embedded;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde status ID</c>: how far a batch or a job is.</summary>
internal sealed class StatusCommand : DsdeCommand
{
    private readonly Argument<Guid> _id = new("ID") { Description = "Id of a batch or a job." };

    public StatusCommand()
        : base("status", "Say how far a batch or a job is.", "dsde status 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11")
    {
        Add(_id);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var id = arguments.GetRequiredValue(_id);
        var output = arguments.InvocationConfiguration.Output;
        await using var client = await BatchClient.OpenDatabaseAsync(cancellationToken);
        if (await client.Store.FindBatchAsync(id, cancellationToken) is { } batch)
        {
            await output.WriteLineAsync(
                $"batch {id}: {batch.Ended} of {(batch.JobCount is { } count ? $"{count}" : "an unknown number of")} jobs ended: {batch.Completed} completed, {batch.Failed} failed, {batch.Cancelled} cancelled; {batch.Running} running"
            );
            return ExitCodes.Success;
        }

        var found = await client.Store.FindAsync([id], cancellationToken);
        var job = found.Count > 0 ? found[0] : throw new ExpectedFailureException($"Neither a batch nor a job of id {id} is known here.");
        await output.WriteLineAsync(
            job.State switch
            {
                JobState.Failed => $"job {id}: failed, {job.Failure?.Code}: {job.Failure?.Message}",
                JobState.Completed =>
                    $"job {id}: completed, {job.Outputs.Sum(output => output.CompletionTokens)} tokens, {string.Join(", ", job.Outputs.Select(output => output.FinishReason))}",
                JobState.Cancelled => $"job {id}: {job.CancelReason}",
                JobState.Queued => $"job {id}: queued",
                _ => $"job {id}: running, attempt {job.Attempt}",
            }
        );
        return ExitCodes.Success;
    }
}

/// <summary><c>dsde cancel ID</c>: calls a batch or a job off.</summary>
internal sealed class CancelCommand : DsdeCommand
{
    private readonly Argument<Guid> _id = new("ID") { Description = "Id of a batch or a job." };

    public CancelCommand()
        : base(
            "cancel",
            "Call off a batch or a job: what has ended stays, what runs stops.",
            "dsde cancel 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11"
        )
    {
        Add(_id);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var id = arguments.GetRequiredValue(_id);
        await using var client = await BatchClient.ConnectAsync(null, cancellationToken);
        var isBatch = await client.Store.FindBatchAsync(id, cancellationToken) is not null;
        await (
            isBatch
                ? client.Bus.Publish(new CancelGenerationBatch { BatchId = id }, cancellationToken)
                : client.Bus.Publish(new CancelGenerationJob { JobId = id }, cancellationToken)
        );
        await arguments.InvocationConfiguration.Output.WriteLineAsync(
            $"{(isBatch ? "batch" : "job")} {id}: workers were told to call it off"
        );
        return ExitCodes.Success;
    }
}

/// <summary><c>dsde results BATCH FILE</c>: the results of a submitted file.</summary>
internal sealed class ResultsCommand : DsdeCommand
{
    private readonly Argument<Guid> _batchId = new("BATCH") { Description = "Id of the batch." };
    private readonly Argument<string> _file = FileArguments.CreateFile("The job file it was submitted from: results come in its order.");
    private readonly Option<int?> _limit = FileArguments.CreateLimit("The limit it was submitted with.");
    private readonly Option<string> _out = FileArguments.CreateOut("Folder for results.jsonl and errors.jsonl (default: the current one).");

    public ResultsCommand()
        : base(
            "results",
            "Write the results of a batch, as far as it is.",
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

        // The model is in the database; lines that left it to the submitter are jobs all the same.
        var file = new JobFile(
            arguments.GetRequiredValue(_file),
            arguments.GetValue(_limit),
            new BatchDefaults { BatchId = batchId, Model = "" }
        );
        file.RequireNotIn(folder);
        await file.CountAsync(cancellationToken);
        await using var client = await BatchClient.OpenDatabaseAsync(cancellationToken);
        if (await client.Store.FindBatchAsync(batchId, cancellationToken) is null)
        {
            throw new ExpectedFailureException($"No batch of id {batchId} is known here.");
        }

        var written = await new ResultFiles(folder, new StoredJobEnds(client.Store)).WriteAsync(
            file.ReadAsync(cancellationToken),
            cancellationToken
        );
        var output = arguments.InvocationConfiguration.Output;
        await output.WriteLineAsync($"{written.ResultCount} results and {written.ErrorCount} lines without one in {folder}");
        if (written.MissingTexts is { } missing)
        {
            await output.WriteLineAsync(missing);
        }

        return written.ErrorCount == 0 ? ExitCodes.Success : ExitCodes.JobsFailed;
    }
}
