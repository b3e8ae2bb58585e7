using System.Collections.Concurrent;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Tests;

/// <summary>Several workers with stores of their own on one database, which lose, give back, save and call off jobs at random.</summary>
public abstract partial class JobStoreContract
{
    private const int BatchSize = 20;

    /// <summary>Workers and jobs of the random run; SQLite lets one write at a time.</summary>
    protected virtual (int Workers, int Jobs) Crowd => (4, 200);

    [Fact]
    public async Task Whatever_workers_do_at_once_each_job_has_one_end_and_each_batch_its_counts()
    {
        var (workers, jobCount) = Crowd;
        var batches = Enumerable.Range(0, jobCount / BatchSize).Select(_ => Guid.NewGuid()).ToArray();
        var jobs = Enumerable
            .Range(0, jobCount)
            .Select(i => TestJobs.Claim(Guid.NewGuid(), batchId: batches[i % batches.Length], batchJobCount: BatchSize))
            .ToArray();
        var (ends, completed) = (new ConcurrentDictionary<Guid, JobEnd>(), new ConcurrentBag<BatchProgress>());

        await Task.WhenAll(
            Enumerable
                .Range(0, workers)
                .Select(async worker =>
                {
                    await using var database = TestDatabase.WithoutSchema(Database.Options);
                    await Task.WhenAll(
                        Enumerable
                            .Range(0, 8)
                            .Select(slot =>
                                Task.Run(async () =>
                                {
                                    var random = new Random((worker * 8) + slot);
                                    while (ends.Count < jobCount)
                                    {
                                        await TakeOneAsync(
                                            database.Store,
                                            $"worker-{worker}",
                                            jobs[random.Next(jobCount)],
                                            random,
                                            ends,
                                            completed
                                        );
                                    }
                                })
                            )
                    );
                })
        );

        var found = await Store.FindAsync([.. jobs.Select(job => job.JobId)], Cancellation);
        found.Count.ShouldBe(jobCount);
        found.ShouldAllBe(job =>
            job.State == StateAfter(ends[job.JobId])
            && job.Traces.Count == job.Outputs.Count
            && job.Outputs.Count == ends[job.JobId].Outputs.Count
        );
        await using var context = Database.CreateContext();
        (await context.Traces.CountAsync(Cancellation)).ShouldBe(ends.Values.Sum(end => end.Traces.Count));
        (await context.Checkpoints.CountAsync(Cancellation)).ShouldBe(0);
        completed.Select(batch => batch.BatchId).ShouldBe(batches, ignoreOrder: true);
        foreach (var batch in batches)
        {
            var states = found.Where(job => job.BatchId == batch).ToLookup(job => job.State);
            var progress = (await Store.FindBatchAsync(batch, Cancellation)).ShouldNotBeNull();
            (progress.Completed, progress.Failed, progress.Cancelled, progress.Running).ShouldBe(
                (states[JobState.Completed].Count(), states[JobState.Failed].Count(), states[JobState.Cancelled].Count(), 0)
            );
            completed.Single(one => one.BatchId == batch).ShouldBe(progress);
        }
    }

    private static async Task TakeOneAsync(
        IJobStore store,
        string worker,
        JobClaim job,
        Random random,
        ConcurrentDictionary<Guid, JobEnd> ends,
        ConcurrentBag<BatchProgress> completed
    )
    {
        var isSlow = random.Next(4) == 0; // its claim has run out when it comes back to the job
        var result = await store.ClaimAsync(
            job with
            {
                WorkerId = worker,
                LeaseToken = Guid.NewGuid(),
                Lease = isSlow ? TimeSpan.Zero : Lease,
            },
            Cancellation
        );
        if (result is not ClaimResult.Claimed claimed)
        {
            (result is ClaimResult.Held || ends.ContainsKey(job.JobId) || result is ClaimResult.Ended).ShouldBeTrue();
            return;
        }

        switch (random.Next(8))
        {
            case 0 when isSlow:
                return; // dies
            case 1:
                await store.ReleaseAsync(claimed.Lease, Cancellation);
                return;
            case 2:
                await store.SaveCheckpointsAsync(claimed.Lease, [new(0, claimed.Attempt, [1]), new(1, 1, [2])], Cancellation);
                break;
            case 3:
                await store.CancelJobAsync(job.JobId, Cancellation);
                break;
            case 4:
                await store.RenewAsync([claimed.Lease], isSlow ? TimeSpan.Zero : Lease, Cancellation);
                break;
        }

        JobEnd end = (claimed.IsCancelRequested, random.Next(4)) switch
        {
            (true, _) => new CancelledJobEnd(claimed.Lease, "cancelled", [], []),
            (_, 0) => TestJobs.Failed(claimed.Lease),
            (_, 1) => new CompletedJobEnd(
                claimed.Lease,
                [TestJobs.Output("a"), TestJobs.Output("b")],
                [TestJobs.Trace(), TestJobs.Trace()]
            ),
            _ => TestJobs.Completed(claimed.Lease),
        };
        if (await store.StoreAsync(end, Cancellation) is { } stored)
        {
            ends.TryAdd(job.JobId, end).ShouldBeTrue();
            if (stored.CompletedBatch is { } batch)
            {
                completed.Add(batch);
            }
        }
    }

    private static JobState StateAfter(JobEnd end) =>
        end switch
        {
            CompletedJobEnd => JobState.Completed,
            FailedJobEnd => JobState.Failed,
            _ => JobState.Cancelled,
        };
}
