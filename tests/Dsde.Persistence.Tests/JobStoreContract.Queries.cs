using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Dsde.Persistence.Storage;

namespace Dsde.Persistence.Tests;

/// <summary>What those ask that only want to know.</summary>
public abstract partial class JobStoreContract
{
    [Fact]
    public async Task An_id_is_known_once_a_worker_has_seen_it_or_somebody_has_marked_or_registered_it()
    {
        var (seen, marked, batch, registered, markedBatch) = NewIds();
        await ClaimAsync(seen, "worker-1", batch);
        await Store.CancelJobAsync(marked, Cancellation);
        await Store.RegisterBatchAsync(new NewBatch(registered, 1, null), Cancellation);
        await Store.CancelBatchAsync(markedBatch, Cancellation);

        (await Store.IsJobKnownAsync(seen, Cancellation)).ShouldBeTrue();
        (await Store.IsJobKnownAsync(marked, Cancellation)).ShouldBeTrue();
        (await Store.IsJobKnownAsync(batch, Cancellation)).ShouldBeFalse();
        (await Store.IsBatchKnownAsync(batch, Cancellation)).ShouldBeTrue();
        (await Store.IsBatchKnownAsync(registered, Cancellation)).ShouldBeTrue();
        (await Store.IsBatchKnownAsync(markedBatch, Cancellation)).ShouldBeTrue();
        (await Store.IsBatchKnownAsync(seen, Cancellation)).ShouldBeFalse();
    }

    [Fact]
    public async Task Request_hashes_are_those_of_the_claims_and_there_is_none_of_a_job_that_has_not_come()
    {
        var (first, second, marked, unknown, _) = NewIds();
        var (claim, other) = (TestJobs.Claim(first), TestJobs.Claim(second, "{\"prompt\": \"b\"}"));
        await Store.ClaimAsync(claim, Cancellation);
        await Store.ClaimAsync(other, Cancellation);
        await Store.CancelJobAsync(marked, Cancellation);

        var hashes = await Store.FindRequestHashesAsync([first, second, marked, unknown], Cancellation);

        hashes.Count.ShouldBe(2);
        hashes[first].ShouldBe(claim.RequestHash);
        hashes[second].ShouldBe(other.RequestHash);
    }

    [Fact]
    public async Task All_ended_jobs_of_a_batch_are_read_in_the_order_they_were_seen_in_and_then_by_their_names()
    {
        var (batch, other) = (Guid.NewGuid(), Guid.NewGuid());
        var names = new List<string?>();
        for (var round = 0; round < 3; round++)
        {
            // More of one moment than fit on a page; the second half without names.
            var claims = Enumerable
                .Range(0, 120)
                .Select(i => TestJobs.Claim(Guid.NewGuid(), batchId: batch) with { CustomId = i < 60 ? $"{119 - i:000}" : null })
                .ToList();
            names.AddRange(claims.Select(claim => claim.CustomId).OrderBy(name => name, StringComparer.Ordinal));
            foreach (var claimed in await Task.WhenAll(claims.Select(claim => Store.ClaimAsync(claim, Cancellation))))
            {
                await Store.StoreAsync(TestJobs.Completed(((ClaimResult.Claimed)claimed).Lease), Cancellation);
            }

            Database.Time.Advance(TimeSpan.FromSeconds(1));
        }

        await ClaimAsync(batch);
        await Store.StoreAsync(TestJobs.Completed(await ClaimAsync(other)), Cancellation);

        var read = await Store.ReadEndedAsync(batch, Cancellation).ToListAsync(Cancellation);

        read.Select(job => job.CustomId).ShouldBe(names);
        read.Select(job => job.JobId).ShouldBeUnique();
        read.ShouldAllBe(job => job.RequestHash != null && job.Outputs.Count == 1 && job.Traces.Count == 1);
        (await Store.ReadEndedAsync(Guid.NewGuid(), Cancellation).ToListAsync(Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_page_of_a_batch_is_found_by_an_index_of_its_jobs_in_order_from_where_the_page_before_ended()
    {
        var (batch, start) = (Guid.NewGuid(), Database.Time.GetUtcNow());
        await using (var context = Database.CreateContext())
        {
            context.Jobs.AddRange(
                Enumerable
                    .Range(0, 5000)
                    .Select(i => new GenerationJob
                    {
                        JobId = Guid.NewGuid(),
                        BatchId = batch,
                        CustomId = $"{i}",
                        State = JobState.Completed,
                        CreatedAt = start + TimeSpan.FromSeconds(i / 10),
                        EndedAt = start + TimeSpan.FromHours(1),
                    })
            );
            await context.SaveChangesAsync(Cancellation);
        }

        var plan = await Database.ExplainAsync(
            context =>
                JobQueries
                    .After(
                        context.Jobs.Where(job => job.BatchId == batch && job.EndedAt != null),
                        (start + TimeSpan.FromSeconds(250), "2500", Guid.NewGuid())
                    )
                    .Take(100),
            Cancellation
        );

        plan.ShouldContain("ix_generation_jobs_batch_id_created_at");
        plan.ShouldMatch(@"batch_id ?= ?\S+ AND \(?created_at ?>"); // both are conditions of the index
    }

    [Fact]
    public async Task The_names_of_all_known_jobs_of_a_batch_are_read_whether_they_have_ended_or_not()
    {
        var batch = Guid.NewGuid();
        var (first, second, third, _, _) = NewIds();
        await ClaimAsync(batch: Guid.NewGuid());
        await NameAsync(second, "b");
        await NameAsync(first, "a");
        Database.Time.Advance(TimeSpan.FromSeconds(1));
        await Store.StoreAsync(TestJobs.Failed(await NameAsync(third, null)), Cancellation);

        (await Store.ReadNamesAsync(batch, Cancellation).ToListAsync(Cancellation)).ShouldBe([
            new(first, "a", JobState.Running),
            new(second, "b", JobState.Running),
            new(third, null, JobState.Failed),
        ]);

        async Task<JobLease> NameAsync(Guid id, string? name)
        {
            var claim = TestJobs.Claim(id, batchId: batch) with { CustomId = name };
            return (await Store.ClaimAsync(claim, Cancellation)).ShouldBeOfType<ClaimResult.Claimed>().Lease;
        }
    }

    [Fact]
    public async Task What_was_called_off_says_so()
    {
        var (job, marked, batch, markedBatch, _) = NewIds();
        await ClaimAsync(job, "worker-1", batch);
        (await Store.FindAsync([job], Cancellation))[0].IsCancelRequested.ShouldBeFalse();
        (await Store.FindBatchAsync(batch, Cancellation)).ShouldNotBeNull().IsCancelRequested.ShouldBeFalse();

        await Store.CancelJobAsync(job, Cancellation);
        await Store.CancelJobAsync(marked, Cancellation);
        await Store.CancelBatchAsync(batch, Cancellation);
        await Store.CancelBatchAsync(markedBatch, Cancellation);

        (await Store.FindAsync([job], Cancellation))[0].IsCancelRequested.ShouldBeTrue();
        var ahead = (await Store.FindAsync([marked], Cancellation))[0];
        (ahead.IsCancelRequested, ahead.State, ahead.RequestHash).ShouldBe((true, JobState.Queued, null));
        (await Store.FindBatchAsync(batch, Cancellation)).ShouldNotBeNull().IsCancelRequested.ShouldBeTrue();
        (await Store.FindBatchAsync(markedBatch, Cancellation)).ShouldNotBeNull().IsCancelRequested.ShouldBeTrue();
    }

    [Fact]
    public async Task Batches_are_under_way_until_their_last_job_has_ended_and_the_latest_come_first()
    {
        var (first, second, done, unregistered, marked) = NewIds();
        await Store.RegisterBatchAsync(new NewBatch(first, 3, "a.jsonl"), Cancellation);
        var submitted = Database.Time.GetUtcNow();
        await Store.RegisterBatchAsync(new NewBatch(done, 1, "done.jsonl"), Cancellation);
        Database.Time.Advance(TimeSpan.FromSeconds(1));
        await Store.RegisterBatchAsync(new NewBatch(second, 1, null), Cancellation);
        await Store.StoreAsync(TestJobs.Completed(await ClaimAsync(done)), Cancellation);
        await Store.StoreAsync(TestJobs.Failed(await ClaimAsync(first)), Cancellation);
        await ClaimAsync(first);
        await ClaimAsync(unregistered);
        await Store.CancelBatchAsync(marked, Cancellation);

        var underWay = await Store.FindBatchesUnderWayAsync(10, Cancellation);

        underWay.Select(batch => batch.Progress.BatchId).ShouldBe([second, first, unregistered]);
        underWay
            .Single(batch => batch.Progress.BatchId == first)
            .ShouldBe(new BatchUnderWay(new BatchProgress(first, 3, 1, 0, 1, 0, false, null), "a.jsonl", submitted));
        underWay.Single(batch => batch.Progress.BatchId == unregistered).Progress.Running.ShouldBe(1);
        (await Store.FindBatchesUnderWayAsync(2, Cancellation)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Workers_are_alive_as_long_as_they_have_been_seen_lately_by_the_databases_clock()
    {
        var now = await Database.ReadClockAsync(Cancellation);
        await using var context = Database.CreateContext();
        context.Workers.AddRange(
            Worker("old", now - TimeSpan.FromSeconds(60)),
            Worker("b", now),
            Worker("a", now - TimeSpan.FromSeconds(5)),
            Worker("c", now + TimeSpan.FromSeconds(30)), // by a clock that was put back since, or just now
            Ended("left", now)
        );
        await context.SaveChangesAsync(Cancellation);

        var alive = await Store.FindWorkersAsync(TimeSpan.FromSeconds(45), Cancellation);

        alive.Select(worker => worker.WorkerId).ShouldBe(["a", "b", "c"]);
        alive[0].SeenAgo.ShouldBeInRange(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(20));
        alive[0].Up.ShouldBe(alive[0].SeenAgo);
        (alive[2].SeenAgo, alive[2].Up).ShouldBe((TimeSpan.Zero, TimeSpan.Zero));
        (alive[1].Host, alive[1].Version, alive[1].BatchSize, alive[1].HeldJobs, alive[1].WaitingForClaim).ShouldBe(
            ("host", "1.0", 8, 10, 2)
        );
        alive[1].Models.ShouldBe(["demo", "other"]);
    }

    [Fact]
    public async Task Models_that_any_worker_has_ever_served_are_known_once_each()
    {
        var now = await Database.ReadClockAsync(Cancellation);
        await using var context = Database.CreateContext();
        var (gone, changed) = (Ended("left", now - TimeSpan.FromDays(90)), Worker("a", now));
        (gone.Models, changed.Models) = (["retired"], ["other", "Demo"]);
        context.Workers.AddRange(gone, changed, Worker("b", now));
        await context.SaveChangesAsync(Cancellation);

        (await Store.FindModelsAsync(Cancellation)).ShouldBe(["Demo", "demo", "other", "retired"]);
    }

    private static WorkerRow Ended(string id, DateTimeOffset at)
    {
        var worker = Worker(id, at);
        (worker.EndedAt, worker.Ending) = (at, "left");
        return worker;
    }

    private static WorkerRow Worker(string id, DateTimeOffset seenAt) =>
        new()
        {
            WorkerStartId = Guid.NewGuid(),
            WorkerId = id,
            StartedAt = seenAt,
            SeenAt = seenAt,
            Host = "host",
            Version = "1.0",
            Models = ["demo", "other"],
            BatchSize = 8,
            HeldJobs = 10,
            WaitingForClaim = 2,
        };

    private static (Guid, Guid, Guid, Guid, Guid) NewIds() =>
        (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
}
