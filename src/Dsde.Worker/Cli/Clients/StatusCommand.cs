using System.CommandLine;
using System.Text.Json;
using Dsde.Batches.Reporting;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline;

namespace Dsde.Worker.Cli.Clients;

/// <summary><c>dsde status [ID]</c>: how far a batch or a job is; without an id, what is under way and who works on it.</summary>
internal sealed class StatusCommand : ClientCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly Argument<Guid> _id = new("ID")
    {
        Description = "Id of a batch or a job. Without one: batches under way, workers alive, and what waits in the queues.",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<bool> _json = new("--json") { Description = "Without ID: a line of JSON instead of tables." };

    public StatusCommand()
        : base(
            "status",
            "Say how far a batch or a job is, or what is under way.",
            "dsde status",
            "dsde status --json",
            "dsde status 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11"
        )
    {
        _id.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var given }] && !Guid.TryParse(given, out _))
            {
                result.AddError($"ID is '{given}'; give the id of a batch or a job, or none.");
            }
        });
        AddAll(_id, _json);
    }

    /// <summary>Without an id nothing is waited for: which server is away is part of the answer.</summary>
    protected override async Task<int> RunAsync(ClientRun run, CancellationToken cancellationToken)
    {
        var arguments = run.Arguments;
        if (arguments.GetResult(_id) is { Tokens.Count: > 0 })
        {
            var id = arguments.GetRequiredValue(_id);
            await using var client = await BatchClient.OpenAsync(run.Patience, cancellationToken);
            await run.Output.WriteLineAsync(await client.AskAsync(store => DescribeAsync(store, id, cancellationToken), cancellationToken));
            return ExitCodes.Success;
        }

        var overview = await Overview.ReadAsync(new ProgramSettings(), cancellationToken);
        if (arguments.GetValue(_json))
        {
            await run.Output.WriteLineAsync(JsonSerializer.Serialize(overview, Json));
        }
        else
        {
            OverviewPrinter.Print(arguments.InvocationConfiguration, overview);
        }

        return overview.Problems.Count == 0 ? ExitCodes.Success : ExitCodes.SetupError;
    }

    private static async Task<string> DescribeAsync(IJobStore store, Guid id, CancellationToken cancellationToken)
    {
        if (await store.FindBatchAsync(id, cancellationToken) is { } batch)
        {
            return DescribeBatch(batch);
        }

        var found = await store.FindAsync([id], cancellationToken);
        return found.Count > 0
            ? $"job {id}: {DescribeJob(found[0])}"
            : throw new ExpectedFailureException($"Neither a batch nor a job of id {id} is known here.");
    }

    private static string DescribeBatch(BatchProgress batch)
    {
        if (batch is { IsCancelRequested: true, JobCount: null, Ended: 0, Running: 0 })
        {
            return $"batch {batch.BatchId}: called off ahead; no worker has seen a job of it yet";
        }

        var jobs = batch.JobCount is { } count ? Quantity.Of(count, "job") : "an unknown number of jobs";
        return $"batch {batch.BatchId}: {batch.Ended} of {jobs} ended: {batch.Completed} completed, {batch.Failed} failed, "
            + $"{batch.Cancelled} cancelled; {batch.Running} running"
            + (batch is { IsCancelRequested: true, IsComplete: false } ? "; called off" : "");
    }

    private static string DescribeJob(StoredJob job) =>
        job.State switch
        {
            JobState.Failed => $"failed, {job.Failure?.Code}: {job.Failure?.Message}",
            JobState.Completed => $"completed, {Quantity.Of(job.Outputs.Sum(output => output.CompletionTokens), "token")}, "
                + string.Join(", ", job.Outputs.Select(output => output.FinishReason)),
            JobState.Cancelled => job.CancelReason ?? "cancelled",
            JobState.Queued when job.RequestHash is null => "called off ahead; no worker has seen it yet",
            JobState.Queued => $"queued{(job.IsCancelRequested ? ", called off" : "")}",
            _ => $"running, attempt {job.Attempt}{(job.IsCancelRequested ? ", called off" : "")}",
        };
}
