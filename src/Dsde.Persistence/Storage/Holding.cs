using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>What the holder of a job writes about it between claim and end; nothing once the job has been taken over.</summary>
internal sealed class Holding(IRows rows, TimeProvider time)
{
    /// <summary>Prolongs leases, and says what has happened to the jobs.</summary>
    public async Task<IReadOnlyList<LeaseNotice>> RenewAsync(DsdeDbContext context, IReadOnlyList<JobLease> leases, TimeSpan duration, CancellationToken cancellationToken)
    {
        var (ids, tokens) = (leases.Select(lease => lease.JobId).ToList(), leases.Select(lease => (Guid?)lease.Token).ToList());
        DateTimeOffset? until = time.GetStorableNow() + duration;
        var held = context.Jobs.Where(job => ids.Contains(job.JobId) && tokens.Contains(job.LeaseToken) && job.State == JobState.Running);
        await held.ExecuteUpdateAsync(set => set.SetProperty(job => job.LeaseUntil, until), cancellationToken);
        var isCancelled = await held.Select(job => new
        {
            job.JobId,
            IsCancelled = job.CancelRequestedAt != null || context.Batches.Any(batch => batch.BatchId == job.BatchId && batch.CancelRequestedAt != null),
        }).ToDictionaryAsync(job => job.JobId, job => job.IsCancelled, cancellationToken);
        return [.. ids.Where(id => isCancelled.GetValueOrDefault(id, true))
            .Select(id => new LeaseNotice(id, isCancelled.ContainsKey(id) ? LeaseNoticeKind.CancelRequested : LeaseNoticeKind.Lost))];
    }

    /// <summary>Notes that the job runs with no other beside it.</summary>
    public static async Task<bool> MarkAloneAsync(DsdeDbContext context, JobLease lease, CancellationToken cancellationToken) =>
        await Held(context, lease).ExecuteUpdateAsync(set => set.SetProperty(job => job.IsAlone, true), cancellationToken) == 1;

    /// <summary>Gives the job back.</summary>
    public static Task<int> ReleaseAsync(DsdeDbContext context, JobLease lease, CancellationToken cancellationToken) =>
        Held(context, lease).ExecuteUpdateAsync(
            set => set.SetProperty(job => job.State, JobState.Queued).SetProperty(job => job.LeaseUntil, (DateTimeOffset?)null).SetProperty(job => job.LeaseToken, (Guid?)null)
                .SetProperty(job => job.WorkerId, (string?)null).SetProperty(job => job.IsAlone, false),
            cancellationToken);

    /// <summary>Saves checkpoints over those before.</summary>
    public async Task<bool> SaveCheckpointsAsync(DsdeDbContext context, JobLease lease, IReadOnlyList<JobCheckpoint> checkpoints, CancellationToken cancellationToken)
    {
        var jobs = await rows.LockJobsAsync(context, [lease.JobId], cancellationToken);
        if (jobs.GetValueOrDefault(lease.JobId) is not { State: JobState.Running } job || job.LeaseToken != lease.Token)
        {
            return false;
        }

        var known = await context.Checkpoints.Where(row => row.JobId == lease.JobId).ToDictionaryAsync(row => row.Choice, cancellationToken);
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
