using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>Insert-or-read by job id: of any number of claims at the same time one gets the job.</summary>
internal sealed class Claiming(TimeProvider time)
{
    public async Task<ClaimResult> ClaimAsync(DsdeDbContext context, JobClaim claim, CancellationToken cancellationToken)
    {
        while (true)
        {
            var known = await context.Jobs.AsNoTracking().FirstOrDefaultAsync(job => job.JobId == claim.JobId, cancellationToken);
            var result = known is null
                ? await TryInsertAsync(context, claim, cancellationToken)
                : await TryTakeOverAsync(context, claim, known, cancellationToken);
            if (result is not null)
            {
                return result;
            }

            context.ChangeTracker.Clear(); // another worker was faster: look again
        }
    }

    private async Task<ClaimResult?> TryInsertAsync(DsdeDbContext context, JobClaim claim, CancellationToken cancellationToken)
    {
        var (now, token) = (time.GetUtcNow(), Guid.NewGuid());
        context.Jobs.Add(new GenerationJob
        {
            JobId = claim.JobId,
            BatchId = claim.BatchId,
            CustomId = claim.CustomId,
            Model = claim.Model,
            Workload = claim.Workload,
            Request = claim.Request,
            RequestHash = claim.RequestHash,
            State = JobState.Running,
            WorkerId = claim.WorkerId,
            LeaseToken = token,
            LeaseUntil = now + claim.Lease,
            Attempt = 1,
            CreatedAt = now,
            StartedAt = now,
        });
        try
        {
            await context.SaveChangesAsync(cancellationToken);
            return new ClaimResult.Claimed(token, 1);
        }
        catch (DbUpdateException exception) when (Database.IsDuplicate(exception))
        {
            return null;
        }
    }

    private async Task<ClaimResult?> TryTakeOverAsync(DsdeDbContext context, JobClaim claim, GenerationJob known, CancellationToken cancellationToken)
    {
        if (known.RequestHash is { } hash && !hash.AsSpan().SequenceEqual(claim.RequestHash))
        {
            return new ClaimResult.Conflict();
        }

        var now = time.GetUtcNow();
        if (known.State != JobState.Running)
        {
            return new ClaimResult.Ended(await CompleteRowAsync(context, claim, known, cancellationToken));
        }

        if (known.LeaseUntil > now)
        {
            return new ClaimResult.Held(known.LeaseUntil.Value);
        }

        var (token, attempt, until) = (Guid.NewGuid(), known.Attempt + 1, now + claim.Lease);
        var taken = await context.Jobs
            .Where(job => job.JobId == claim.JobId && job.State == JobState.Running && job.LeaseToken == known.LeaseToken)
            .ExecuteUpdateAsync(
                set => set.SetProperty(job => job.LeaseToken, token).SetProperty(job => job.LeaseUntil, until)
                    .SetProperty(job => job.WorkerId, claim.WorkerId).SetProperty(job => job.Attempt, attempt).SetProperty(job => job.StartedAt, now),
                cancellationToken);
        return taken == 1 ? new ClaimResult.Claimed(token, attempt) : null;
    }

    /// <summary>A job that was cancelled before anyone saw its request learns what it was.</summary>
    private static async Task<StoredJob> CompleteRowAsync(DsdeDbContext context, JobClaim claim, GenerationJob known, CancellationToken cancellationToken)
    {
        if (known.RequestHash is null)
        {
            known.BatchId = claim.BatchId;
            known.CustomId = claim.CustomId;
            known.Model = claim.Model;
            known.Workload = claim.Workload;
            known.Request = claim.Request;
            known.RequestHash = claim.RequestHash;
            context.Update(known);
            await context.SaveChangesAsync(cancellationToken);
        }

        return (await JobReading.ReadAsync(context, [known], cancellationToken))[0];
    }
}
