using System.CommandLine;
using System.Text.Json;
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

        var overview = await Overview.ReadAsync(new ProgramSettings(), TimeProvider.System, cancellationToken);
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
            return $"batch {id}: {batch.Ended} of {(batch.JobCount is { } count ? $"{count}" : "an unknown number of")} jobs ended: "
                + $"{batch.Completed} completed, {batch.Failed} failed, {batch.Cancelled} cancelled; {batch.Running} running";
        }

        var found = await store.FindAsync([id], cancellationToken);
        var job = found.Count > 0 ? found[0] : throw new ExpectedFailureException($"Neither a batch nor a job of id {id} is known here.");
        return job.State switch
        {
            JobState.Failed => $"job {id}: failed, {job.Failure?.Code}: {job.Failure?.Message}",
            JobState.Completed => $"job {id}: completed, {job.Outputs.Sum(output => output.CompletionTokens)} tokens, "
                + $"{string.Join(", ", job.Outputs.Select(output => output.FinishReason))}",
            JobState.Cancelled => $"job {id}: {job.CancelReason}",
            JobState.Queued => $"job {id}: queued",
            _ => $"job {id}: running, attempt {job.Attempt}",
        };
    }
}
