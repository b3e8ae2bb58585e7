using System.CommandLine;
using Dsde.Contracts;
using Dsde.Pipeline;

namespace Dsde.Worker.Cli.Clients;

/// <summary><c>dsde cancel ID</c>: calls a batch or a job off.</summary>
internal sealed class CancelCommand : ClientCommand
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
        AddAll(_id, _ahead, _batch);
        Validators.Add(result =>
        {
            if (result.GetValue(_batch) && !result.GetValue(_ahead))
            {
                result.AddError("--batch is given without --ahead; what is known says by itself whether it is a batch.");
            }
        });
    }

    /// <summary>The mark in the database is what counts; the broker only lets workers know of it at once.</summary>
    protected override async Task<int> RunAsync(ClientRun run, CancellationToken cancellationToken)
    {
        var id = run.Arguments.GetRequiredValue(_id);
        await using var client = await BatchClient.OpenAsync(run.Patience, cancellationToken);
        var isBatch = await IsBatchAsync(client, id, run.Arguments, cancellationToken);
        if (isBatch)
        {
            await client.TellAsync(store => store.CancelBatchAsync(id, cancellationToken), cancellationToken);
        }
        else if (!await client.AskAsync(store => store.CancelJobAsync(id, cancellationToken), cancellationToken))
        {
            await run.Output.WriteLineAsync($"job {id} has ended already; ask for it with: dsde status {id}");
            return ExitCodes.Success;
        }

        var what = isBatch ? "batch" : "job";
        run.Begin(
            $"The database has the mark that calls the {what} off: what waits does not start any more, and what runs ends when its worker "
                + "next renews its lease. Workers were not told to end it at once; to tell them: "
                + CommandText.Of(run.Arguments)
        );
        await client.ConnectAsync(cancellationToken);
        await (
            isBatch
                ? client.PublishAsync(new CancelGenerationBatch { BatchId = id }, cancellationToken)
                : client.PublishAsync(new CancelGenerationJob { JobId = id }, cancellationToken)
        );
        await run.Output.WriteLineAsync($"{what} {id}: marked to be called off, and workers were told");
        return ExitCodes.Success;
    }

    private async Task<bool> IsBatchAsync(BatchClient client, Guid id, ParseResult arguments, CancellationToken cancellationToken)
    {
        if (await client.AskAsync(store => store.IsBatchKnownAsync(id, cancellationToken), cancellationToken))
        {
            return true;
        }

        if (await client.AskAsync(store => store.IsJobKnownAsync(id, cancellationToken), cancellationToken))
        {
            return false;
        }

        return arguments.GetValue(_ahead)
            ? arguments.GetValue(_batch)
            : throw new ExpectedFailureException(
                $"{id} is unknown: no batch has that id, and no worker has seen a job of it. Nothing was changed. "
                    + "To call off what still waits in the queue, or is yet to be sent, give --ahead (and --batch if it is a batch)."
            );
    }
}
