using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>What others than the holder of a job may do to it, within the context's transaction.</summary>
internal sealed class Intervening(IDialect dialect, BatchRegister batches, TimeProvider time)
{
    /// <summary>Marks a job to be cancelled; false if it has ended.</summary>
    public async Task<bool> CancelAsync(DsdeDbContext context, Guid jobId, CancellationToken cancellationToken)
    {
        var now = time.GetStorableNow();
        var mark = new GenerationJob
        {
            JobId = jobId,
            State = JobState.Queued,
            CreatedAt = now,
            CancelRequestedAt = now,
        };

        // Who asked is told that it will be done: that must outlive the server's crash.
        if ((await dialect.AddNewJobsAsync(context, [new NewJob(mark, Lease: null)], isDurable: true, cancellationToken)).Count == 1)
        {
            return true;
        }

        return await context
                .Jobs.Where(job => job.JobId == jobId && (job.State == JobState.Queued || job.State == JobState.Running))
                .ExecuteUpdateAsync(
                    set => set.SetProperty(job => job.CancelRequestedAt, job => job.CancelRequestedAt ?? now),
                    cancellationToken
                ) == 1;
    }

    /// <summary>Makes a failed job one that was never started; false if there is no such job.</summary>
    public async Task<bool> ReopenAsync(DsdeDbContext context, Guid jobId, CancellationToken cancellationToken)
    {
        var failed = context.Jobs.Where(job => job.JobId == jobId && job.State == JobState.Failed);
        await dialect.LockJobAsync(context, jobId, cancellationToken);
        if (await failed.Select(job => new { job.BatchId }).SingleOrDefaultAsync(cancellationToken) is not { BatchId: var batchId })
        {
            return false;
        }

        await AttemptHistory.KeepAsync(context, failed, AttemptHistory.Failed, time.GetStorableNow(), cancellationToken);
        await failed.ExecuteUpdateAsync(
            set =>
                set.SetProperty(job => job.State, JobState.Queued)
                    .SetProperty(job => job.WorkerId, (string?)null)
                    .SetProperty(job => job.WorkerStartId, (Guid?)null)
                    .SetProperty(job => job.LeaseToken, (Guid?)null)
                    .SetProperty(job => job.Attempt, 0)
                    .SetProperty(job => job.LostStarts, 0)
                    .SetProperty(job => job.LostAlone, 0)
                    .SetProperty(job => job.TokensAtStart, 0)
                    .SetProperty(job => job.StartedAt, (DateTimeOffset?)null)
                    .SetProperty(job => job.EndedAt, (DateTimeOffset?)null)
                    .SetProperty(job => job.CancelRequestedAt, (DateTimeOffset?)null)
                    .SetProperty(job => job.FailureCode, (string?)null)
                    .SetProperty(job => job.FailureMessage, (string?)null)
                    .SetProperty(job => job.FailureRetryable, (bool?)null)
                    .SetProperty(job => job.Reopenings, job => job.Reopenings + 1),
            cancellationToken
        );
        if (batchId is { } batch)
        {
            await batches.ReopenAsync(context, batch, cancellationToken);
        }

        return true;
    }
}
