using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>What others than the holder of a job may do to it, within the context's transaction.</summary>
internal sealed class Intervening(IRows rows, Batches batches, TimeProvider time)
{
    /// <summary>Marks a job to be cancelled; false if it has ended.</summary>
    public async Task<bool> CancelAsync(DsdeDbContext context, Guid jobId, CancellationToken cancellationToken)
    {
        var now = time.GetStorableNow();
        if (
            (
                await rows.AddNewJobsAsync(
                    context,
                    [
                        new GenerationJob
                        {
                            JobId = jobId,
                            State = JobState.Queued,
                            CreatedAt = now,
                            CancelRequestedAt = now,
                        },
                    ],
                    cancellationToken
                )
            ).Count == 1
        )
        {
            return true;
        }

        var job = (await rows.LockJobsAsync(context, [jobId], cancellationToken))[jobId];
        if (job.State is not (JobState.Queued or JobState.Running))
        {
            return false;
        }

        job.CancelRequestedAt ??= now;
        await context.SaveChangesAsync(cancellationToken);
        return true;
    }

    /// <summary>Makes a failed job one that was never started; false if there is no such job.</summary>
    public async Task<bool> ReopenAsync(DsdeDbContext context, Guid jobId, CancellationToken cancellationToken)
    {
        if ((await rows.LockJobsAsync(context, [jobId], cancellationToken)).GetValueOrDefault(jobId) is not { State: JobState.Failed } job)
        {
            return false;
        }

        job.State = JobState.Queued;
        (job.WorkerId, job.LeaseToken) = (null, null);
        (job.Attempt, job.LostStarts, job.TokensAtStart, job.IsAlone) = (0, 0, 0, false);
        (job.StartedAt, job.EndedAt, job.CancelRequestedAt) = (null, null, null);
        (job.FailureCode, job.FailureMessage, job.FailureRetryable) = (null, null, null);
        if (job.BatchId is { } batchId)
        {
            await batches.ReopenAsync(context, batchId, cancellationToken);
        }

        await context.SaveChangesAsync(cancellationToken);
        return true;
    }
}
