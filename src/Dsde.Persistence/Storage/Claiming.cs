using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>Insert-or-read by job id: of any number of claims at the same time one gets the job.</summary>
internal sealed class Claiming(IDialect dialect, BatchRegister batches, TimeProvider time)
{
    /// <summary>
    /// Claims those of a group of jobs that nobody knows yet, which is nearly all, within the context's transaction. The first of a batch
    /// says how many jobs it has.
    /// </summary>
    /// <returns>Null for those that are known.</returns>
    public async Task<IReadOnlyList<ClaimResult.Claimed?>> ClaimNewAsync(
        DsdeDbContext context,
        IReadOnlyList<JobClaim> claims,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetStorableNow();
        var candidates = claims
            .DistinctBy(claim => claim.JobId)
            .ToDictionary(claim => claim.LeaseToken, claim => new NewJob(CreateJob(claim, now), claim.Lease));
        var added = await dialect.AddNewJobsAsync(context, [.. candidates.Values], isDurable: false, cancellationToken);
        var counts = new SortedDictionary<Guid, int>();
        var results = new ClaimResult.Claimed?[claims.Count];
        foreach (var (position, claim) in claims.Index())
        {
            if (!candidates.ContainsKey(claim.LeaseToken) || !added.TryGetValue(claim.JobId, out var batch))
            {
                continue;
            }

            results[position] = new ClaimResult.Claimed(LeaseOf(claim), Attempt: 1)
            {
                Place = JobPlace.Inside,
                CreatedAt = now,
                TraceParent = claim.TraceParent,
                IsCancelRequested = batch.IsCancelled,
            };
            if (batch.IsUncounted && claim is { BatchId: { } batchId, BatchJobCount: { } jobCount })
            {
                counts[batchId] = jobCount;
            }
        }

        foreach (var (batchId, jobCount) in counts)
        {
            await batches.NoteAsync(context, batchId, jobCount, now, cancellationToken);
        }

        return results;
    }

    /// <summary>Claims a job that is known, within the context's transaction.</summary>
    public async Task<ClaimResult> ClaimKnownAsync(DsdeDbContext context, JobClaim claim, CancellationToken cancellationToken)
    {
        await dialect.LockJobAsync(context, claim.JobId, cancellationToken);
        var job =
            await KnownJob.Find(context, claim.JobId).SingleOrDefaultAsync(cancellationToken)
            ?? throw new InvalidOperationException($"Job {claim.JobId} was removed from the database while it was being claimed.");
        if (job.RequestHash is { } hash && !hash.AsSpan().SequenceEqual(claim.RequestHash))
        {
            return new ClaimResult.Conflict();
        }

        if (job.State is not (JobState.Queued or JobState.Running))
        {
            var row = await context.Jobs.AsNoTracking().SingleAsync(row => row.JobId == claim.JobId, cancellationToken);
            return new ClaimResult.Ended((await JobReading.ReadAsync(context, [row], cancellationToken))[0]);
        }

        var clock = await dialect.ReadClockAsync(context, cancellationToken);
        if (job.State == JobState.Running && job.LeaseToken != claim.LeaseToken && job.LeaseUntil > clock)
        {
            return new ClaimResult.Held(job.LeaseUntil.Value - clock);
        }

        return await TakeOverAsync(context, claim, job, clock, cancellationToken);
    }

    private async Task<ClaimResult.Claimed> TakeOverAsync(
        DsdeDbContext context,
        JobClaim claim,
        KnownJob job,
        DateTimeOffset clock,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetStorableNow();
        var checkpoints = await context
            .Checkpoints.Where(row => row.JobId == claim.JobId)
            .OrderBy(row => row.Choice)
            .Select(row => new JobCheckpoint(row.Choice, row.TokenCount, row.State))
            .ToListAsync(cancellationToken);
        if (job.RequestHash is null) // it was to be cancelled before anyone saw it
        {
            await FillAsync(context, claim, cancellationToken);
        }

        var isRepeated = job.State == JobState.Running && job.LeaseToken == claim.LeaseToken; // and its first answer was lost
        if (!isRepeated && job.State == JobState.Running)
        {
            await AttemptHistory.KeepAsync(
                context,
                context.Jobs.Where(row => row.JobId == claim.JobId),
                AttemptHistory.Lost,
                now,
                cancellationToken
            );
        }

        job = isRepeated ? job : job.Start(checkpoints.Sum(checkpoint => checkpoint.TokenCount), now);
        await WriteAsync(context, claim, job, clock + claim.Lease, cancellationToken);
        return new ClaimResult.Claimed(LeaseOf(claim), job.Attempt)
        {
            Place = job.IsStarted ? JobPlace.Inside : JobPlace.Outside,
            CreatedAt = job.CreatedAt,
            LostStarts = job.LostStarts,
            LostAlone = job.LostAlone,
            Reopenings = job.Reopenings,
            TraceParent = job.RequestHash is null ? claim.TraceParent : job.TraceParent,
            Checkpoints = checkpoints,
            IsCancelRequested =
                job.IsCancelRequested
                | (claim.BatchId is { } batchId && await batches.NoteAsync(context, batchId, claim.BatchJobCount, now, cancellationToken)),
        };
    }

    private static JobLease LeaseOf(JobClaim claim) => new(claim.JobId, claim.LeaseToken, claim.WorkerId);

    private static GenerationJob CreateJob(JobClaim claim, DateTimeOffset now) =>
        new()
        {
            JobId = claim.JobId,
            BatchId = claim.BatchId,
            CustomId = claim.CustomId,
            Model = claim.Model,
            Workload = claim.Workload,
            Request = claim.Request,
            RequestHash = claim.RequestHash,
            TraceParent = claim.TraceParent,
            State = JobState.Running,
            WorkerId = claim.WorkerId,
            WorkerStartId = claim.WorkerStartId,
            LeaseToken = claim.LeaseToken,
            Attempt = 1,
            IsStarted = true,
            SubmittedAt = claim.SubmittedAt,
            CreatedAt = now,
            StartedAt = now,
        };

    private static Task<int> FillAsync(DsdeDbContext context, JobClaim claim, CancellationToken cancellationToken) =>
        context
            .Jobs.Where(row => row.JobId == claim.JobId)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(row => row.BatchId, claim.BatchId)
                        .SetProperty(row => row.CustomId, claim.CustomId)
                        .SetProperty(row => row.Model, claim.Model)
                        .SetProperty(row => row.Workload, claim.Workload)
                        .SetProperty(row => row.Request, claim.Request)
                        .SetProperty(row => row.RequestHash, claim.RequestHash)
                        .SetProperty(row => row.SubmittedAt, claim.SubmittedAt)
                        .SetProperty(row => row.TraceParent, claim.TraceParent),
                cancellationToken
            );

    private static Task<int> WriteAsync(
        DsdeDbContext context,
        JobClaim claim,
        KnownJob job,
        DateTimeOffset leaseUntil,
        CancellationToken cancellationToken
    ) =>
        context
            .Jobs.Where(row => row.JobId == claim.JobId)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(row => row.State, JobState.Running)
                        .SetProperty(row => row.WorkerId, claim.WorkerId)
                        .SetProperty(row => row.WorkerStartId, claim.WorkerStartId)
                        .SetProperty(row => row.LeaseToken, claim.LeaseToken)
                        .SetProperty(row => row.LeaseUntil, leaseUntil)
                        .SetProperty(row => row.Attempt, job.Attempt)
                        .SetProperty(row => row.LostStarts, job.LostStarts)
                        .SetProperty(row => row.LostAlone, job.LostAlone)
                        .SetProperty(row => row.TokensAtStart, job.TokensAtStart)
                        .SetProperty(row => row.IsStarted, job.IsStarted)
                        .SetProperty(row => row.IsAlone, job.IsAlone)
                        .SetProperty(row => row.StartedAt, job.StartedAt),
                cancellationToken
            );
}
