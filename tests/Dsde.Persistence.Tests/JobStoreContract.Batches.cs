using Dsde.Persistence.Jobs;

namespace Dsde.Persistence.Tests;

/// <summary>Batches count the ends of their jobs, each once, and one end completes them.</summary>
public abstract partial class JobStoreContract
{
    [Fact]
    public async Task A_batch_is_complete_with_the_end_of_its_last_job()
    {
        var batch = Guid.NewGuid();
        await Store.RegisterBatchAsync(new NewBatch(batch, 3, "jobs.jsonl"), Cancellation);
        await Store.RegisterBatchAsync(new NewBatch(batch, 4, "jobs.jsonl"), Cancellation);
        (await Store.FindBatchAsync(Guid.NewGuid(), Cancellation)).ShouldBeNull();
        var (first, second, third) = (await ClaimAsync(batch), await ClaimAsync(batch), await ClaimAsync(batch));

        var one = await Store.StoreAsync(TestJobs.Completed(first), Cancellation);
        var two = await Store.StoreAsync(TestJobs.Failed(second), Cancellation);
        var before = (await Store.FindBatchAsync(batch, Cancellation)).ShouldNotBeNull();
        (await Store.StoreAsync(TestJobs.Completed(TestJobs.Other(third)), Cancellation)).ShouldBeNull();
        var three = await Store.StoreAsync(new CancelledJobEnd(third, "expired", [], []), Cancellation);

        (one.ShouldNotBeNull().CompletedBatch, two.ShouldNotBeNull().CompletedBatch).ShouldBe((null, null));
        before.ShouldBe(new BatchProgress(batch, 3, 1, 1, 1, 0, false, null));
        before.IsComplete.ShouldBeFalse();
        var after = three.ShouldNotBeNull().CompletedBatch.ShouldNotBeNull();
        after.ShouldBe(new BatchProgress(batch, 3, 0, 1, 1, 1, false, Database.Time.GetUtcNow()));
        after.IsComplete.ShouldBeTrue();
        (await Store.FindBatchAsync(batch, Cancellation)).ShouldBe(after);
        await Store.MarkBatchAnnouncedAsync(batch, Cancellation);
        (await Store.FindBatchAsync(batch, Cancellation)).ShouldNotBeNull().IsAnnounced.ShouldBeTrue();
    }

    [Fact]
    public async Task Of_ends_stored_at_once_by_several_workers_one_completes_the_batch()
    {
        await using var other = TestDatabase.WithoutSchema(Database.Options);
        for (var round = 0; round < 5; round++)
        {
            var batch = Guid.NewGuid();
            await Store.RegisterBatchAsync(new NewBatch(batch, 8, null), Cancellation);
            var leases = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ClaimAsync(batch)));

            var stored = await Task.WhenAll(
                leases.Select((lease, i) => (i % 2 == 0 ? Store : other.Store).StoreAsync(TestJobs.Completed(lease), Cancellation))
            );

            stored.ShouldAllBe(end => end != null);
            stored.Select(end => end!.CompletedBatch).OfType<BatchProgress>().ShouldHaveSingleItem().Completed.ShouldBe(8);
        }
    }

    [Fact]
    public async Task A_batch_may_be_known_by_its_jobs_by_its_cancelling_or_late()
    {
        var (byJob, byCancelling, late) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        var first = await ClaimAsync(byJob, batchJobCount: 2);
        (await Store.StoreAsync(TestJobs.Completed(first), Cancellation)).ShouldNotBeNull().CompletedBatch.ShouldBeNull();
        (await Store.StoreAsync(TestJobs.Completed(await ClaimAsync(byJob, batchJobCount: 2)), Cancellation))
            .ShouldNotBeNull()
            .CompletedBatch.ShouldNotBeNull()
            .JobCount.ShouldBe(2);

        await Store.CancelBatchAsync(byCancelling, Cancellation);
        (await Store.StoreAsync(TestJobs.Failed(await ClaimAsync(byCancelling)), Cancellation))
            .ShouldNotBeNull()
            .CompletedBatch.ShouldBeNull();
        (await Store.StoreAsync(TestJobs.Failed(await ClaimAsync(byCancelling, batchJobCount: 2)), Cancellation))
            .ShouldNotBeNull()
            .CompletedBatch.ShouldNotBeNull()
            .Failed.ShouldBe(2);

        await Store.StoreAsync(TestJobs.Completed(await ClaimAsync(late)), Cancellation);
        var last = await ClaimAsync(late);
        (await Store.FindBatchAsync(late, Cancellation)).ShouldBe(new BatchProgress(late, null, 1, 1, 0, 0, false, null));
        await Store.RegisterBatchAsync(new NewBatch(late, 2, null), Cancellation);
        (await Store.StoreAsync(TestJobs.Completed(last), Cancellation)).ShouldNotBeNull().CompletedBatch.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_batch_whose_jobs_have_all_ended_is_complete_once_their_number_is_known()
    {
        var batch = Guid.NewGuid();
        await Store.StoreAsync(TestJobs.Completed(await ClaimAsync(batch)), Cancellation);

        await Store.RegisterBatchAsync(new NewBatch(batch, 1, null), Cancellation);

        (await Store.FindBatchAsync(batch, Cancellation)).ShouldBe(
            new BatchProgress(batch, 1, 0, 1, 0, 0, false, Database.Time.GetUtcNow())
        );
    }
}
