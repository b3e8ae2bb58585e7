using System.Threading.Channels;
using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Checkpoints;

/// <summary>
/// Saves checkpoints behind the engine's back: it hands them over and goes on. Of each output only the latest counts, so that a database
/// that is slow or away delays them and nothing piles up.
/// </summary>
internal sealed class CheckpointWriter(IJobStore store, DatabasePatience patience, ILogger<CheckpointWriter> logger) : BackgroundService
{
    // A job is in here, or being saved, at most once.
    private readonly Channel<HeldJob> _jobs = Channel.CreateUnbounded<HeldJob>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Takes a checkpoint of an output; returns at once.</summary>
    public void Add(HeldJob job, int choice, SequenceCheckpoint checkpoint)
    {
        if (job.Checkpoints.Put(choice, checkpoint))
        {
            _jobs.Writer.TryWrite(job);
        }
    }

    /// <summary>Saves what there is of a job now.</summary>
    /// <exception cref="DatabaseUnavailableException">The database is away; what there is stays to be saved.</exception>
    public Task SaveAsync(HeldJob job, CancellationToken cancellationToken) =>
        job.Checkpoints.SaveAsync(
            async unsaved =>
            {
                JobCheckpoint[] encoded =
                [
                    .. unsaved.Select(pair => new JobCheckpoint(pair.Key, pair.Value.TokenIds.Length, CheckpointCodec.Encode(pair.Value))),
                ];
                if (!await store.SaveCheckpointsAsync(job.Lease, encoded, cancellationToken))
                {
                    job.Lose();
                }
            },
            cancellationToken
        );

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Nobody waits for another's: one whose row somebody has locked would keep all from being saved. Saves at the same time share a
        // transaction.
        var saving = new List<Task>();
        try
        {
            await foreach (var job in _jobs.Reader.ReadAllAsync(stoppingToken))
            {
                saving.RemoveAll(task => task.IsCompleted);
                saving.Add(SaveWhenPossibleAsync(job, stoppingToken));
            }
        }
        finally
        {
            await Task.WhenAll(saving);
        }
    }

    /// <summary>Each try saves what is the latest by then.</summary>
    private async Task SaveWhenPossibleAsync(HeldJob job, CancellationToken cancellationToken)
    {
        try
        {
            do
            {
                await patience.RunAsync(() => SaveAsync(job, cancellationToken), cancellationToken);
            } while (!job.Checkpoints.TryFinish());
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            job.Checkpoints.TryFinish(givesUp: true);
            logger.CheckpointNotSaved(job.Lease.JobId, exception); // the next one may be
        }
    }
}
