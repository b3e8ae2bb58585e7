using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>Insert-or-read by job id: of any number of claims at the same time one gets the job.</summary>
internal sealed class Claiming(IRows rows, Batches batches, TimeProvider time)
{
    /// <summary>
    /// A claim, with the token it will have if it succeeds: written twice because nobody knows whether a commit arrived, it recognizes
    /// itself.
    /// </summary>
    internal sealed record Attempt(JobClaim Claim, Guid Token)
    {
        public ClaimResult.Claimed Succeed(GenerationJob job) =>
            new(new JobLease(job.JobId, Token, Claim.WorkerId), job.Attempt)
            {
                CreatedAt = job.CreatedAt,
                LostStarts = job.LostStarts,
                WasLostAlone = job.IsAlone,
                IsCancelRequested = job.CancelRequestedAt is not null,
                TraceParent = job.TraceParent,
            };
    }

    /// <summary>What became of a job that perhaps nobody knows yet.</summary>
    /// <param name="Claimed">Null if it is known.</param>
    /// <param name="IsBatchUncounted">Whether the number of jobs in its batch is still to be noted, which the claim says.</param>
    internal readonly record struct NewClaim(ClaimResult.Claimed? Claimed, bool IsBatchUncounted);

    /// <summary>Claims those of a group of jobs that nobody knows yet, which is nearly all, within the context's transaction.</summary>
    public async Task<IReadOnlyList<NewClaim>> ClaimNewAsync(
        DsdeDbContext context,
        IReadOnlyList<Attempt> attempts,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetStorableNow();
        var candidates = attempts
            .DistinctBy(attempt => attempt.Claim.JobId)
            .ToDictionary(attempt => attempt.Token, attempt => CreateJob(attempt, now));
        var added = await rows.AddNewJobsAsync(context, [.. candidates.Values], cancellationToken);
        return
        [
            .. attempts.Select(attempt =>
                candidates.TryGetValue(attempt.Token, out var job) && added.TryGetValue(job.JobId, out var batch)
                    ? new NewClaim(
                        attempt.Succeed(job) with
                        {
                            IsCancelRequested = batch.IsCancelled,
                        },
                        batch.IsUncounted && attempt.Claim.BatchJobCount is not null
                    )
                    : default
            ),
        ];
    }

    /// <summary>Claims a group of jobs that are known within the context's transaction.</summary>
    public async Task<IReadOnlyList<ClaimResult>> ClaimKnownAsync(
        DsdeDbContext context,
        IReadOnlyList<Attempt> attempts,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetStorableNow();
        var taken = await TakeOverAsync(context, attempts, now, cancellationToken);
        return await NoteBatchesAsync(context, attempts, [.. attempts.Select(attempt => taken[attempt.Token])], now, cancellationToken);
    }

    private static GenerationJob CreateJob(Attempt attempt, DateTimeOffset now)
    {
        var job = new GenerationJob { JobId = attempt.Claim.JobId, CreatedAt = now };
        Fill(job, attempt.Claim);
        Start(job, attempt, checkpointedTokens: 0, now);
        job.LeaseUntil = now + attempt.Claim.Lease;
        return job;
    }

    /// <summary>Of jobs that are known, by token.</summary>
    private async Task<Dictionary<Guid, ClaimResult>> TakeOverAsync(
        DsdeDbContext context,
        IReadOnlyList<Attempt> attempts,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var ids = attempts.Select(attempt => attempt.Claim.JobId).Distinct().ToList();
        var jobs = await rows.LockJobsAsync(context, ids, cancellationToken);
        var checkpoints = (
            await context
                .Checkpoints.AsNoTracking()
                .Where(row => ids.Contains(row.JobId))
                .OrderBy(row => row.Choice)
                .ToListAsync(cancellationToken)
        ).ToLookup(row => row.JobId, row => new JobCheckpoint(row.Choice, row.TokenCount, row.State));
        var ended = (
            await JobReading.ReadAsync(
                context,
                [.. jobs.Values.Where(job => job.State is not (JobState.Queued or JobState.Running))],
                cancellationToken
            )
        ).ToDictionary(job => job.JobId);
        var results = attempts.ToDictionary(
            attempt => attempt.Token,
            attempt =>
                TakeOver(
                    attempt,
                    jobs[attempt.Claim.JobId],
                    ended.GetValueOrDefault(attempt.Claim.JobId),
                    [.. checkpoints[attempt.Claim.JobId]],
                    now
                )
        );
        await context.SaveChangesAsync(cancellationToken);
        return results;
    }

    private static ClaimResult TakeOver(
        Attempt attempt,
        GenerationJob job,
        StoredJob? ended,
        IReadOnlyList<JobCheckpoint> checkpoints,
        DateTimeOffset now
    )
    {
        if (job.RequestHash is { } hash && !hash.AsSpan().SequenceEqual(attempt.Claim.RequestHash))
        {
            return new ClaimResult.Conflict();
        }

        if (ended is not null)
        {
            return new ClaimResult.Ended(ended);
        }

        if (job.LeaseToken != attempt.Token)
        {
            if (job is { State: JobState.Running, LeaseUntil: { } until } && until > now)
            {
                return new ClaimResult.Held(until);
            }

            if (job.RequestHash is null) // it was to be cancelled before anyone saw it
            {
                Fill(job, attempt.Claim);
            }

            Start(job, attempt, checkpoints.Sum(checkpoint => checkpoint.TokenCount), now);
        }

        job.LeaseUntil = now + attempt.Claim.Lease; // also of a claim whose commit was not answered for long

        return attempt.Succeed(job) with
        {
            Checkpoints = checkpoints,
        };
    }

    private static void Fill(GenerationJob job, JobClaim claim)
    {
        job.BatchId = claim.BatchId;
        job.CustomId = claim.CustomId;
        job.Model = claim.Model;
        job.Workload = claim.Workload;
        job.Request = claim.Request;
        job.RequestHash = claim.RequestHash;
        job.TraceParent = claim.TraceParent;
    }

    /// <summary>A job that is running has been lost by who had it. Whether the start was for nothing the checkpoints tell.</summary>
    private static void Start(GenerationJob job, Attempt attempt, int checkpointedTokens, DateTimeOffset now)
    {
        var isFurther = checkpointedTokens > job.TokensAtStart;
        job.LostStarts =
            isFurther ? 0
            : job.State == JobState.Running ? job.LostStarts + 1
            : job.LostStarts;
        job.IsAlone &= !isFurther;
        job.TokensAtStart = checkpointedTokens;
        job.State = JobState.Running;
        job.WorkerId = attempt.Claim.WorkerId;
        job.LeaseToken = attempt.Token;
        job.Attempt++;
        job.StartedAt = now;
    }

    /// <summary>The batches of the claimed jobs are there from now on, and tell whether they are to be cancelled.</summary>
    private async Task<IReadOnlyList<ClaimResult>> NoteBatchesAsync(
        DsdeDbContext context,
        IReadOnlyList<Attempt> attempts,
        ClaimResult[] results,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var counts = new Dictionary<Guid, int?>();
        for (var i = 0; i < attempts.Count; i++)
        {
            if (results[i] is ClaimResult.Claimed && attempts[i].Claim is { BatchId: { } batchId, BatchJobCount: var count })
            {
                counts[batchId] = count ?? counts.GetValueOrDefault(batchId);
            }
        }

        var cancelled = await batches.NoteAsync(context, counts, now, cancellationToken);
        return cancelled.Count == 0
            ? results
            :
            [
                .. results.Select(
                    (result, i) =>
                        result is ClaimResult.Claimed claimed && attempts[i].Claim.BatchId is { } batchId && cancelled.Contains(batchId)
                            ? claimed with
                            {
                                IsCancelRequested = true,
                            }
                            : result
                ),
            ];
    }
}
