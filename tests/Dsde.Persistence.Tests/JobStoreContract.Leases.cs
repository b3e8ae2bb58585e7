using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Tests;

/// <summary>What becomes of jobs whose workers are slow, die, or give them back.</summary>
public abstract partial class JobStoreContract
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_renewed_claim_holds_and_a_released_one_is_free_at_once_and_not_lost()
    {
        var id = Guid.NewGuid();
        var claimed = await ClaimAsync(id, "worker-1");
        await Database.PassAsync(TimeSpan.FromSeconds(50), Cancellation);
        (await Store.RenewAsync([claimed.Lease], Lease, Cancellation)).ShouldBeEmpty();
        await Database.PassAsync(TimeSpan.FromSeconds(50), Cancellation);
        (await Store.ClaimAsync(TestJobs.Claim(id, worker: "worker-2"), Cancellation))
            .ShouldBeOfType<ClaimResult.Held>()
            .Remaining.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
        (await Store.MarkAsync(claimed.Lease, JobPlace.Alone, Cancellation)).ShouldBeTrue();

        await Store.ReleaseAsync(TestJobs.Other(claimed.Lease), Cancellation);
        (await Store.ClaimAsync(TestJobs.Claim(id, worker: "worker-2"), Cancellation)).ShouldBeOfType<ClaimResult.Held>();
        await Store.ReleaseAsync(claimed.Lease, Cancellation);

        (await Store.FindAsync([id], Cancellation))[0].State.ShouldBe(JobState.Queued);
        (await Store.StoreAsync(TestJobs.Completed(claimed.Lease), Cancellation)).ShouldBeNull();
        var second = await ClaimAsync(id, "worker-2");
        (second.Attempt, second.LostStarts, second.LostAlone, second.CreatedAt).ShouldBe((2, 0, 0, claimed.CreatedAt));
    }

    [Fact]
    public async Task Renewing_tells_what_is_lost_and_what_is_to_be_cancelled()
    {
        var batch = Guid.NewGuid();
        var (kept, lost, ended, cancelled, ofBatch) = (
            await ClaimAsync(),
            await ClaimAsync(),
            await ClaimAsync(),
            await ClaimAsync(),
            await ClaimAsync(batch)
        );
        await Store.StoreAsync(TestJobs.Completed(ended), Cancellation);
        await Store.CancelJobAsync(cancelled.JobId, Cancellation);
        await Store.CancelBatchAsync(batch, Cancellation);

        var notices = await Store.RenewAsync(
            [kept, TestJobs.Other(lost), ended, cancelled, ofBatch, new JobLease(batch, batch, "worker-1")],
            Lease,
            Cancellation
        );

        notices.ShouldBe(
            [
                new(lost.JobId, LeaseNoticeKind.Lost),
                new(ended.JobId, LeaseNoticeKind.Lost),
                new(cancelled.JobId, LeaseNoticeKind.CancelRequested),
                new(ofBatch.JobId, LeaseNoticeKind.CancelRequested),
                new(batch, LeaseNoticeKind.Lost),
            ],
            ignoreOrder: true
        );
        (await Store.RenewAsync([], Lease, Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Starts_that_are_lost_are_counted_and_a_start_that_came_further_is_not_lost()
    {
        var id = Guid.NewGuid();
        await ClaimAsync(id, "worker-1");
        (await TakeOverAsync(id)).LostStarts.ShouldBe(1);
        var third = await TakeOverAsync(id);
        third.LostStarts.ShouldBe(2);
        (await Store.SaveCheckpointsAsync(third.Lease, [new(1, 10, [2]), new(0, 256, [1])], Cancellation)).ShouldBeTrue();

        var fourth = await TakeOverAsync(id);
        (await Store.SaveCheckpointsAsync(fourth.Lease, [new(0, 256, [7])], Cancellation)).ShouldBeTrue(); // no further than it was
        var fifth = await TakeOverAsync(id);
        await Store.ReleaseAsync(fifth.Lease, Cancellation); // says nothing about the job

        fourth.LostStarts.ShouldBe(0);
        fourth
            .Checkpoints.Select(checkpoint => (checkpoint.Choice, checkpoint.TokenCount, checkpoint.State[0]))
            .ShouldBe([(0, 256, 1), (1, 10, 2)]);
        fifth.LostStarts.ShouldBe(1);
        fifth.Checkpoints.Select(checkpoint => checkpoint.State[0]).ShouldBe([(byte)7, (byte)2]);
        var sixth = await ClaimAsync(id, "worker-1");
        (sixth.Attempt, sixth.LostStarts).ShouldBe((6, 1));
    }

    [Fact]
    public async Task Starts_that_are_lost_alone_are_counted_apart_until_the_job_comes_further()
    {
        var id = Guid.NewGuid();
        var first = await ClaimAsync(id, "worker-1");
        (await Store.MarkAsync(TestJobs.Other(first.Lease), JobPlace.Alone, Cancellation)).ShouldBeFalse();
        (await Store.MarkAsync(first.Lease, JobPlace.Alone, Cancellation)).ShouldBeTrue();
        var second = await TakeOverAsync(id);
        (second.LostStarts, second.LostAlone).ShouldBe((1, 1));
        (await Store.MarkAsync(first.Lease, JobPlace.Alone, Cancellation)).ShouldBeFalse();

        var third = await TakeOverAsync(id); // lost beside others this time
        await Store.MarkAsync(third.Lease, JobPlace.Alone, Cancellation);
        await Store.ReleaseAsync(third.Lease, Cancellation); // handed back, which is not lost
        var fourth = await ClaimAsync(id, "worker-1");
        await Store.MarkAsync(fourth.Lease, JobPlace.Alone, Cancellation);
        var fifth = await TakeOverAsync(id);
        await Store.MarkAsync(fifth.Lease, JobPlace.Alone, Cancellation);
        await Store.SaveCheckpointsAsync(fifth.Lease, [new(0, 1, [])], Cancellation);

        (third.LostStarts, third.LostAlone).ShouldBe((2, 1));
        (fourth.LostStarts, fourth.LostAlone).ShouldBe((2, 1));
        (fifth.LostStarts, fifth.LostAlone).ShouldBe((3, 2));
        var sixth = await TakeOverAsync(id);
        (sixth.LostStarts, sixth.LostAlone).ShouldBe((0, 0));
    }

    [Fact]
    public async Task A_job_that_was_not_let_into_the_engine_is_not_lost_with_its_worker()
    {
        var id = Guid.NewGuid();
        var first = await ClaimAsync(id, "worker-1");
        (await Store.MarkAsync(first.Lease, JobPlace.Outside, Cancellation)).ShouldBeTrue();
        var second = await TakeOverAsync(id);
        await Store.MarkAsync(second.Lease, JobPlace.Outside, Cancellation);
        await Store.MarkAsync(second.Lease, JobPlace.Inside, Cancellation);

        var third = await TakeOverAsync(id);

        (first.Place, second.Place, third.Place).ShouldBe((JobPlace.Inside, JobPlace.Outside, JobPlace.Outside));
        (second.Attempt, second.LostStarts).ShouldBe((2, 0));
        (third.Attempt, third.LostStarts).ShouldBe((3, 1));
    }

    [Fact]
    public async Task A_claim_of_a_worker_that_dies_before_it_has_let_the_job_in_again_is_no_start()
    {
        var id = Guid.NewGuid();
        await ClaimAsync(id, "worker-1");
        await Database.PassAsync(Lease + TimeSpan.FromSeconds(1), Cancellation);
        var claim = TestJobs.Claim(id, worker: "worker-2");
        (await Store.ClaimAsync(claim, Cancellation)).ShouldBeOfType<ClaimResult.Claimed>().LostStarts.ShouldBe(1);
        (await Store.ClaimAsync(claim, Cancellation)).ShouldBeOfType<ClaimResult.Claimed>().Place.ShouldBe(JobPlace.Outside); // again

        (await TakeOverAsync(id)).LostStarts.ShouldBe(1);
    }

    [Fact]
    public async Task A_claim_that_is_tried_again_is_the_same_claim_and_holds_anew()
    {
        var id = Guid.NewGuid();
        var claim = TestJobs.Claim(id);
        var first = (await Store.ClaimAsync(claim, Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
        await Database.PassAsync(TimeSpan.FromSeconds(50), Cancellation);

        var again = (await Store.ClaimAsync(claim, Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();

        again.Lease.ShouldBe(first.Lease);
        (again.Attempt, again.LostStarts).ShouldBe((1, 0));
        (await Store.ClaimAsync(TestJobs.Claim(id), Cancellation))
            .ShouldBeOfType<ClaimResult.Held>()
            .Remaining.ShouldBeGreaterThan(TimeSpan.FromSeconds(45));
    }

    [Fact]
    public async Task Checkpoints_that_are_saved_together_are_each_saved_for_its_holder_and_the_latest_counts()
    {
        var ids = Enumerable.Range(0, 20).Select(_ => Guid.NewGuid()).ToArray();
        var leases = (await Task.WhenAll(ids.Select(id => ClaimAsync(id, "worker-1")))).Select(claimed => claimed.Lease).ToArray();

        var saved = await Task.WhenAll(
            leases.Select(
                (lease, i) =>
                    Store.SaveCheckpointsAsync(
                        i % 5 == 3 ? TestJobs.Other(lease) : lease,
                        [new(0, 5, [1]), new(1, i, [2]), new(0, 6, [3])],
                        Cancellation
                    )
            )
        );

        saved.ShouldBe(leases.Select((_, i) => i % 5 != 3));
        await using var context = Database.CreateContext();
        var rows = await context.Checkpoints.OrderBy(row => row.Choice).ToListAsync(Cancellation);
        rows.Count.ShouldBe(32);
        rows.ShouldAllBe(row => row.Choice == 1 || row.TokenCount == 6 && row.State[0] == 3);
        rows.Where(row => row.Choice == 1).ShouldAllBe(row => ids[row.TokenCount] == row.JobId);
    }

    [Fact]
    public async Task A_failure_that_is_not_the_jobs_leaves_its_checkpoints_to_whoever_reopens_it()
    {
        var id = Guid.NewGuid();
        var claimed = await ClaimAsync(id, "worker-1");
        await Store.SaveCheckpointsAsync(claimed.Lease, [new(0, 5, [1])], Cancellation);
        await Store.StoreAsync(TestJobs.Failed(claimed.Lease) with { KeepsCheckpoints = true }, Cancellation);
        await Store.ReopenAsync(id, Cancellation);

        (await ClaimAsync(id, "worker-1")).Checkpoints.ShouldHaveSingleItem().TokenCount.ShouldBe(5);
    }

    [Fact]
    public async Task Checkpoints_are_the_holders_and_gone_with_the_end()
    {
        var id = Guid.NewGuid();
        var claimed = await ClaimAsync(id, "worker-1");
        (await Store.SaveCheckpointsAsync(TestJobs.Other(claimed.Lease), [new(0, 5, [1])], Cancellation)).ShouldBeFalse();
        (await Store.SaveCheckpointsAsync(claimed.Lease, [new(0, 5, [1])], Cancellation)).ShouldBeTrue();
        (await Store.StoreAsync(TestJobs.Completed(TestJobs.Other(claimed.Lease)), Cancellation)).ShouldBeNull();
        await using var context = Database.CreateContext();
        context.Checkpoints.Count().ShouldBe(1);

        (await Store.StoreAsync(TestJobs.Failed(claimed.Lease), Cancellation)).ShouldNotBeNull();

        context.Checkpoints.Count().ShouldBe(0);
        (await Store.SaveCheckpointsAsync(claimed.Lease, [new(0, 6, [1])], Cancellation)).ShouldBeFalse();
        (await Store.MarkAsync(claimed.Lease, JobPlace.Alone, Cancellation)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_claim_that_nobody_waits_for_any_more_does_not_hold_the_job()
    {
        var id = Guid.NewGuid();
        using var gone = new CancellationTokenSource();
        var abandoned = Store.ClaimAsync(TestJobs.Claim(id), gone.Token);
        await gone.CancelAsync();

        var isClaimed = await abandoned.ContinueWith(
            claim => claim.IsCompletedSuccessfully,
            Cancellation,
            TaskContinuationOptions.None,
            TaskScheduler.Default
        );

        // Groups are written one after the other, and what was abandoned is given back with its own.
        (await Store.ClaimAsync(TestJobs.Claim(Guid.NewGuid()), Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
        (await Store.ClaimAsync(TestJobs.Claim(id, worker: "worker-2"), Cancellation))
            .GetType()
            .ShouldBe(isClaimed ? typeof(ClaimResult.Held) : typeof(ClaimResult.Claimed));
    }

    /// <summary>The job is let into the engine of another worker, once the one that had it has not been heard of for too long.</summary>
    private async Task<ClaimResult.Claimed> TakeOverAsync(Guid id)
    {
        await Database.PassAsync(Lease + TimeSpan.FromSeconds(1), Cancellation);
        var claimed = await ClaimAsync(id, "worker-2");
        await Store.MarkAsync(claimed.Lease, JobPlace.Inside, Cancellation);
        return claimed;
    }

    [Fact]
    public async Task A_job_keeps_the_trace_that_it_was_first_claimed_in()
    {
        var claim = TestJobs.Claim(Guid.NewGuid());
        var first = (await Store.ClaimAsync(claim with { TraceParent = "first" }, Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
        await Store.ReleaseAsync(first.Lease, Cancellation);

        var second = (await Store.ClaimAsync(claim with { TraceParent = "second" }, Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();

        first.TraceParent.ShouldBe("first");
        second.TraceParent.ShouldBe("first");
    }
}
