using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Tests;

/// <summary>What is left of attempts that did not bring a job to its end.</summary>
public abstract partial class JobStoreContract
{
    [Fact]
    public async Task Every_attempt_of_a_job_is_kept_with_its_worker_its_time_and_how_it_ended()
    {
        var id = Guid.NewGuid();
        var start = Database.Time.GetUtcNow();
        var lost = await ClaimAsync(id, "worker-1");
        await Store.MarkAsync(lost.Lease, JobPlace.Inside, Cancellation);
        await Database.PassAsync(TimeSpan.FromSeconds(61), Cancellation);
        var returned = await ClaimAsync(id, "worker-2");
        Database.Time.Advance(TimeSpan.FromSeconds(2));
        await Store.ReleaseAsync(returned.Lease, Cancellation);
        await Store.ReleaseAsync(returned.Lease, Cancellation); // which changes nothing
        var failing = await ClaimAsync(id, "worker-3");
        await Store.StoreAsync(TestJobs.Failed(failing.Lease), Cancellation);
        (await Store.ReopenAsync(id, Cancellation)).ShouldBeTrue();
        var last = await ClaimAsync(id, "worker-4");
        await Store.StoreAsync(TestJobs.Completed(last.Lease), Cancellation);

        await using var context = Database.CreateContext();
        var earlier = await context.EarlierAttempts.OrderBy(row => row.Reopenings).ThenBy(row => row.Attempt).ToListAsync(Cancellation);
        earlier
            .Select(row => (row.Reopenings, row.Attempt, row.WorkerId, row.WorkerStartId, row.Outcome, row.FailureCode))
            .ShouldBe([
                (0, 1, "worker-1", TestJobs.StartOf("worker-1"), "lost", null),
                (0, 2, "worker-2", TestJobs.StartOf("worker-2"), "handed_back", null),
                (0, 3, "worker-3", TestJobs.StartOf("worker-3"), "failed", "engine_error"),
            ]);
        earlier[0].StartedAt.ShouldBe(start);
        earlier[1].EndedAt.ShouldBe(earlier[1].StartedAt + TimeSpan.FromSeconds(2));
        earlier.Select(row => row.IsStarted).ShouldBe([true, false, null]);
        var job = await context.Jobs.SingleAsync(Cancellation);
        (job.Attempt, job.Reopenings, job.WorkerStartId).ShouldBe((1, 1, TestJobs.StartOf("worker-4")));
    }

    [Fact]
    public async Task A_job_that_ends_at_its_first_attempt_leaves_nothing_in_the_history()
    {
        var claimed = await ClaimAsync(Guid.NewGuid(), "worker-1");
        await Store.StoreAsync(TestJobs.Completed(claimed.Lease), Cancellation);

        await using var context = Database.CreateContext();
        (await context.EarlierAttempts.AnyAsync(Cancellation)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_trace_says_by_itself_whose_it_is_and_what_for()
    {
        var batch = Guid.NewGuid();
        var claimed = await ClaimAsync(Guid.NewGuid(), "worker-1", batch);
        await Store.StoreAsync(new CancelledJobEnd(claimed.Lease, "cancelled", [TestJobs.Output("x")], [TestJobs.Trace()]), Cancellation);

        await using var context = Database.CreateContext();
        var trace = context.Entry(await context.Traces.SingleAsync(Cancellation));
        trace.Property(DsdeDbContext.TraceBatchId).CurrentValue.ShouldBe(batch);
        trace.Property(DsdeDbContext.TraceWorkload).CurrentValue.ShouldBe("stories");
        trace.Property(DsdeDbContext.TraceModel).CurrentValue.ShouldBe("demo");
        trace.Property(DsdeDbContext.TraceState).CurrentValue.ShouldBe("cancelled");
        trace.Property(DsdeDbContext.TraceWorkerStartId).CurrentValue.ShouldBe(TestJobs.StartOf("worker-1"));
        TraceSummary summary = trace.Entity;
        (summary.CachedPromptTokens, summary.FirstTokenMs, summary.RestMs, summary.VerifyShareMs).ShouldBe((2, 3.5, 7, 1));
        trace.Entity.IterationBatchRows.ShouldBe([40, 40, 40]);
    }

    [Fact]
    public async Task A_trace_of_which_only_the_summary_is_kept_has_no_series()
    {
        var claimed = await ClaimAsync(Guid.NewGuid(), "worker-1");
        var trace = TestJobs.Trace() with { Level = "summary", IterationLength = null, ProposalKld = null, ProposalOnPath = null };
        trace = trace with { IterationDecidedBy = null, IterationWvir = null };
        await Store.StoreAsync(TestJobs.Completed(claimed.Lease) with { Traces = [trace] }, Cancellation);

        await using var context = Database.CreateContext();
        var row = await context.Traces.SingleAsync(Cancellation);
        row.Level.ShouldBe("summary");
        new object?[] { row.IterationLength, row.ProposalKld, row.ProposalOnPath, row.IterationDecidedBy, row.IterationWvir }.ShouldAllBe(
            series => series == null
        );
        row.TokenMargin.ShouldBe(TestJobs.Trace().TokenMargin);
    }
}
