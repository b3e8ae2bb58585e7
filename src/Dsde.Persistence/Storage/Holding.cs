using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>What the holder of a job writes about it between claim and end; nothing once the job has been taken over.</summary>
internal sealed class Holding(IRows rows, TimeProvider time)
{
    /// <summary>Notes that the job runs with no other beside it.</summary>
    public static async Task<bool> MarkAloneAsync(DsdeDbContext context, JobLease lease, CancellationToken cancellationToken) =>
        await Held(context, lease).ExecuteUpdateAsync(set => set.SetProperty(job => job.IsAlone, true), cancellationToken) == 1;

    /// <summary>Gives the job back.</summary>
    public static Task<int> ReleaseAsync(DsdeDbContext context, JobLease lease, CancellationToken cancellationToken) =>
        Held(context, lease)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(job => job.State, JobState.Queued)
                        .SetProperty(job => job.LeaseUntil, (DateTimeOffset?)null)
                        .SetProperty(job => job.LeaseToken, (Guid?)null)
                        .SetProperty(job => job.WorkerId, (string?)null)
                        .SetProperty(job => job.IsAlone, false),
                cancellationToken
            );

    /// <summary>Saves checkpoints over those before.</summary>
    public async Task<bool> SaveCheckpointsAsync(
        DsdeDbContext context,
        JobLease lease,
        IReadOnlyList<JobCheckpoint> checkpoints,
        CancellationToken cancellationToken
    )
    {
        var jobs = await rows.LockJobsAsync(context, [lease.JobId], cancellationToken);
        if (jobs.GetValueOrDefault(lease.JobId) is not { State: JobState.Running } job || job.LeaseToken != lease.Token)
        {
            return false;
        }

        var known = await context
            .Checkpoints.Where(row => row.JobId == lease.JobId)
            .ToDictionaryAsync(row => row.Choice, cancellationToken);
        foreach (var checkpoint in checkpoints)
        {
            if (!known.TryGetValue(checkpoint.Choice, out var row))
            {
                row = new JobCheckpointRow { JobId = lease.JobId, Choice = checkpoint.Choice };
                context.Checkpoints.Add(row);
            }

            row.TokenCount = checkpoint.TokenCount;
            row.State = checkpoint.State;
            row.StoredAt = time.GetStorableNow();
        }

        await context.SaveChangesAsync(cancellationToken);
        return true;
    }

    private static IQueryable<GenerationJob> Held(DsdeDbContext context, JobLease lease) =>
        context.Jobs.Where(job => job.JobId == lease.JobId && job.LeaseToken == lease.Token && job.State == JobState.Running);
}
