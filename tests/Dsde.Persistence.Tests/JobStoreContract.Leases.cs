using Dsde.Persistence.Jobs;

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
        Database.Time.Advance(TimeSpan.FromSeconds(50));
        (await Store.RenewAsync([claimed.Lease], Lease, Cancellation)).ShouldBeEmpty();
        Database.Time.Advance(TimeSpan.FromSeconds(50));
        (await Store.ClaimAsync(TestJobs.Claim(id, worker: "worker-2"), Cancellation))
            .ShouldBeOfType<ClaimResult.Held>()
            .Until.ShouldBe(Database.Time.GetUtcNow() + TimeSpan.FromSeconds(10));
        (await Store.MarkAloneAsync(claimed.Lease, Cancellation)).ShouldBeTrue();

        await Store.ReleaseAsync(TestJobs.Other(claimed.Lease), Cancellation);
        (await Store.ClaimAsync(TestJobs.Claim(id, worker: "worker-2"), Cancellation)).ShouldBeOfType<ClaimResult.Held>();
        await Store.ReleaseAsync(claimed.Lease, Cancellation);

        (await Store.FindAsync([id], Cancellation))[0].State.ShouldBe(JobState.Queued);
        (await Store.StoreAsync(TestJobs.Completed(claimed.Lease), Cancellation)).ShouldBeNull();
        var second = await ClaimAsync(id, "worker-2");
        (second.Attempt, second.LostStarts, second.WasLostAlone, second.CreatedAt).ShouldBe((2, 0, false, claimed.CreatedAt));
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
    public async Task A_job_that_is_lost_alone_stays_known_for_it_until_it_ends_or_comes_further()
    {
        var (id, other) = (Guid.NewGuid(), Guid.NewGuid());
        var first = await ClaimAsync(id, "worker-1");
        (await Store.MarkAloneAsync(TestJobs.Other(first.Lease), Cancellation)).ShouldBeFalse();
        (await Store.MarkAloneAsync(first.Lease, Cancellation)).ShouldBeTrue();
        var second = await TakeOverAsync(id);
        (second.LostStarts, second.WasLostAlone).ShouldBe((1, true));

        var third = await TakeOverAsync(id); // its worker died before it could end the job

        (third.LostStarts, third.WasLostAlone).ShouldBe((2, true));
        (await Store.MarkAloneAsync(second.Lease, Cancellation)).ShouldBeFalse();
        var alone = await ClaimAsync(other, "worker-1");
        await Store.MarkAloneAsync(alone.Lease, Cancellation);
        await Store.SaveCheckpointsAsync(alone.Lease, [new(0, 1, [])], Cancellation);
        (await TakeOverAsync(other)).WasLostAlone.ShouldBeFalse();
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
        (await Store.MarkAloneAsync(claimed.Lease, Cancellation)).ShouldBeFalse();
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

    private async Task<ClaimResult.Claimed> TakeOverAsync(Guid id)
    {
        Database.Time.Advance(Lease + TimeSpan.FromSeconds(1));
        return await ClaimAsync(id, "worker-2");
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
