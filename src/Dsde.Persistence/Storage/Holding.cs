using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>What the holder of a job writes about it between claim and end; nothing once the job has been taken over.</summary>
internal static class Holding
{
    /// <summary>Notes where the job is; false if it has been taken over.</summary>
    public static async Task<bool> MarkAsync(DsdeDbContext context, JobLease lease, JobPlace place, CancellationToken cancellationToken) =>
        await Held(context, lease)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(job => job.IsStarted, place != JobPlace.Outside)
                        .SetProperty(job => job.IsAlone, place == JobPlace.Alone),
                cancellationToken
            ) == 1;

    /// <summary>Gives the job back, within a transaction that has locked it.</summary>
    public static async Task<int> ReleaseAsync(
        DsdeDbContext context,
        JobLease lease,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        await AttemptHistory.KeepAsync(context, Held(context, lease), AttemptHistory.HandedBack, now, cancellationToken);
        return await Held(context, lease)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(job => job.State, JobState.Queued)
                        .SetProperty(job => job.LeaseUntil, (DateTimeOffset?)null)
                        .SetProperty(job => job.LeaseToken, (Guid?)null)
                        .SetProperty(job => job.WorkerId, (string?)null)
                        .SetProperty(job => job.WorkerStartId, (Guid?)null)
                        .SetProperty(job => job.IsStarted, false)
                        .SetProperty(job => job.IsAlone, false),
                cancellationToken
            );
    }

    private static IQueryable<GenerationJob> Held(DsdeDbContext context, JobLease lease) =>
        context.Jobs.Where(job => job.JobId == lease.JobId && job.LeaseToken == lease.Token && job.State == JobState.Running);
}
