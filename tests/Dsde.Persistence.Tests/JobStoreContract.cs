using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Tests;

/// <summary>What every database must do, run on each.</summary>
public abstract partial class JobStoreContract : IAsyncLifetime
{
    private TestDatabase? _database;

    private TestDatabase Database => _database ?? throw new InvalidOperationException("Not initialized.");

    private IJobStore Store => Database.Store;

    private Analysis.IReportReader Traces => Database.Traces;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await TestDatabase.CreateAsync(await CreateOptionsAsync());

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Database.DisposeAsync();
    }

    protected abstract Task<PersistenceOptions> CreateOptionsAsync();

    [Fact]
    public async Task A_completed_job_comes_back_as_it_was_stored()
    {
        var (id, batch) = (Guid.NewGuid(), Guid.NewGuid());
        var claimed = (await Store.ClaimAsync(TestJobs.Claim(id, batchId: batch), Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
        claimed.Attempt.ShouldBe(1);
        Database.Time.Advance(TimeSpan.FromSeconds(2));

        (await Store.StoreAsync(TestJobs.Completed(claimed.Lease, "naïve 🙂\n"), Cancellation))
            .ShouldNotBeNull()
            .EndedAt.ShouldBe(Database.Time.GetUtcNow());

        var job = (await Store.FindAsync([id, Guid.NewGuid()], Cancellation)).ShouldHaveSingleItem();
        job.State.ShouldBe(JobState.Completed);
        job.BatchId.ShouldBe(batch);
        var output = job.Outputs.ShouldHaveSingleItem();
        output.Text.ShouldBe("naïve 🙂\n");
        output.TokenIds.ShouldBe([1, 2, 3]);
        output.TokenLogProbabilities.ShouldBe([-0.5f, -1]);
        job.EndedAt.ShouldBe(job.CreatedAt + TimeSpan.FromSeconds(2));
        var summary = job.Traces.ShouldHaveSingleItem();
        summary.Seed.ShouldBe(-5);
        summary.Proposed.ShouldBe(12);
        (summary.IsGuarded, summary.SpeculatingIterations).ShouldBe((true, 2));
        await using var context = Database.CreateContext();
        var row = await context.Traces.SingleAsync(Cancellation);
        row.IterationWvir.ShouldBe([null, 2f, 3f]);
        row.IterationDecidedBy.ShouldBe([0, 1, 2]);
        (row.Forced, summary.Forced).ShouldBe((2, 2));
        row.IterationForced.ShouldBe([2, 0, 0]);
        row.IterationWish.ShouldBe(TestJobs.Trace().IterationWish);
        row.IterationAllowed.ShouldBe(TestJobs.Trace().IterationAllowed);
        row.ProposalOnPath!.Length.ShouldBe(12);
        row.TokenDraftMatch.ShouldBe(TestJobs.Trace().TokenDraftMatch);
        context.Entry(row).Property<string>(DsdeDbContext.TraceWorkerId).CurrentValue.ShouldBe("worker-1");
    }

    [Fact]
    public async Task Every_output_of_a_job_comes_back_in_order_with_a_trace_of_its_own()
    {
        var id = Guid.NewGuid();
        var claimed = (ClaimResult.Claimed)await Store.ClaimAsync(TestJobs.Claim(id), Cancellation);
        var outputs = Enumerable
            .Range(0, 12)
            .Select(choice =>
                TestJobs.Output($"text {choice}") with
                {
                    TopTokenIds = [choice, 7],
                    TopLogProbabilities = [-0.25f, -2],
                    TokenBytes = choice == 3 ? null : [(byte)choice, 0, 0xFF],
                }
            )
            .ToList();
        var traces = Enumerable.Range(0, 12).Select(choice => TestJobs.Trace() with { Seed = choice }).ToList();

        (await Store.StoreAsync(new CompletedJobEnd(claimed.Lease, outputs, traces), Cancellation)).ShouldNotBeNull();

        var found = (await Store.FindAsync([id], Cancellation)).ShouldHaveSingleItem();
        var claimedAgain = (await Store.ClaimAsync(TestJobs.Claim(id), Cancellation)).ShouldBeOfType<ClaimResult.Ended>().Job;
        foreach (var job in new[] { found, claimedAgain })
        {
            job.Outputs.Select(output => output.Text).ShouldBe(outputs.Select(output => output.Text));
            job.Outputs.ShouldAllBe(output =>
                output.PromptTokens == 7
                && output.CompletionTokens == 9
                && output.TokenIds!.Length == 3
                && output.TopLogProbabilities![1] == -2
            );
            job.Outputs[11].TopTokenIds.ShouldBe([11, 7]);
            job.Outputs.Select(output => output.TokenBytes).ShouldBe(outputs.Select(output => output.TokenBytes));
            job.Traces.Select(trace => trace.Seed).ShouldBe(Enumerable.Range(0, 12).Select(choice => (long)choice));
        }
    }

    [Fact]
    public async Task Of_many_claims_at_once_one_gets_the_job()
    {
        var id = Guid.NewGuid();

        var results = await Task.WhenAll(
            Enumerable.Range(0, 16).Select(i => Task.Run(() => Store.ClaimAsync(TestJobs.Claim(id, worker: $"worker-{i}"), Cancellation)))
        );

        results.OfType<ClaimResult.Claimed>().Count().ShouldBe(1);
        results.OfType<ClaimResult.Held>().Count().ShouldBe(15);
    }

    [Fact]
    public async Task A_claim_that_ran_out_is_taken_over_once_and_its_holder_writes_nothing_more()
    {
        var id = Guid.NewGuid();
        var first = (ClaimResult.Claimed)await Store.ClaimAsync(TestJobs.Claim(id), Cancellation);
        (await Store.ClaimAsync(TestJobs.Claim(id, worker: "worker-2"), Cancellation)).ShouldBeOfType<ClaimResult.Held>();
        await Database.PassAsync(TimeSpan.FromSeconds(61), Cancellation);

        var results = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(i => Task.Run(() => Store.ClaimAsync(TestJobs.Claim(id, worker: $"other-{i}"), Cancellation)))
        );

        var second = results.OfType<ClaimResult.Claimed>().ShouldHaveSingleItem();
        second.Attempt.ShouldBe(2);
        (await Store.StoreAsync(TestJobs.Completed(first.Lease, "late"), Cancellation)).ShouldBeNull();
        (await Store.StoreAsync(TestJobs.Completed(second.Lease, "right"), Cancellation)).ShouldNotBeNull();
        (await Store.FindAsync([id], Cancellation))[0].Outputs.ShouldHaveSingleItem().Text.ShouldBe("right");
    }

    [Fact]
    public async Task A_job_that_has_ended_is_not_run_again()
    {
        var id = Guid.NewGuid();
        var claimed = (ClaimResult.Claimed)await Store.ClaimAsync(TestJobs.Claim(id), Cancellation);
        await Store.StoreAsync(
            new FailedJobEnd(claimed.Lease, new JobFailure("invalid_request", "temperature is -1", false)),
            Cancellation
        );

        var again = (await Store.ClaimAsync(TestJobs.Claim(id, worker: "worker-2"), Cancellation)).ShouldBeOfType<ClaimResult.Ended>();

        again.Job.State.ShouldBe(JobState.Failed);
        again.Job.Failure.ShouldBe(new JobFailure("invalid_request", "temperature is -1", false));
        (await Store.StoreAsync(TestJobs.Completed(claimed.Lease), Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Another_request_under_the_same_id_is_a_conflict()
    {
        var id = Guid.NewGuid();
        await Store.ClaimAsync(TestJobs.Claim(id), Cancellation);

        (await Store.ClaimAsync(TestJobs.Claim(id, "{\"prompt\": \"b\"}"), Cancellation)).ShouldBeOfType<ClaimResult.Conflict>();
    }

    [Fact]
    public async Task A_job_that_is_cut_short_keeps_what_it_had_and_ends_once()
    {
        var id = Guid.NewGuid();
        var claimed = (ClaimResult.Claimed)await Store.ClaimAsync(TestJobs.Claim(id), Cancellation);
        JobOutput[] outputs =
        [
            TestJobs.Output("once upon") with
            {
                FinishReason = "expired",
            },
            TestJobs.Output("") with
            {
                CompletionTokens = 0,
                FinishReason = "expired",
            },
        ];
        JobTrace[] traces = [TestJobs.Trace(), TestJobs.Trace() with { CompletionTokens = 0 }];
        var end = new CancelledJobEnd(claimed.Lease, "expired", outputs, traces);

        (await Store.StoreAsync(end with { Lease = TestJobs.Other(claimed.Lease) }, Cancellation)).ShouldBeNull();
        var stored = (await Store.StoreAsync(end, Cancellation)).ShouldNotBeNull();
        Database.Time.Advance(TimeSpan.FromSeconds(1));
        (await Store.StoreAsync(end, Cancellation)).ShouldBe(stored); // as after a commit that was not answered
        (await Store.StoreAsync(TestJobs.Failed(claimed.Lease), Cancellation)).ShouldBeNull(); // not its end

        var job = (await Store.FindAsync([id], Cancellation)).ShouldHaveSingleItem();
        (job.State, job.CancelReason).ShouldBe((JobState.Cancelled, "expired"));
        job.EndedAt.ShouldNotBeNull();
        job.Outputs.Select(output => (output.Text, output.FinishReason)).ShouldBe([("once upon", "expired"), ("", "expired")]);
        job.Traces.ShouldHaveSingleItem().CompletionTokens.ShouldBe(9);
    }

    [Fact]
    public async Task Ends_stored_together_are_all_there_and_a_lost_claim_among_them_hurts_no_other()
    {
        var ids = Enumerable.Range(0, 60).Select(_ => Guid.NewGuid()).ToArray();
        var claims = await Task.WhenAll(ids.Select(id => Store.ClaimAsync(TestJobs.Claim(id), Cancellation)));

        var stored = await Task.WhenAll(
            ids.Select(
                (id, i) =>
                {
                    var lease = ((ClaimResult.Claimed)claims[i]).Lease;
                    return Store.StoreAsync(TestJobs.Completed(i % 10 == 3 ? TestJobs.Other(lease) : lease, $"text {i}"), Cancellation);
                }
            )
        );

        stored.Count(end => end is not null).ShouldBe(54);
        var jobs = await Store.FindAsync(ids, Cancellation);
        jobs.Count(job => job.State == JobState.Completed).ShouldBe(54);
        jobs.Where(job => job.State == JobState.Completed)
            .ShouldAllBe(job => job.Outputs[0].Text == $"text {Array.IndexOf(ids, job.JobId)}");
    }

    private async Task<ClaimResult.Claimed> ClaimAsync(Guid id, string worker, Guid? batch = null) =>
        (await Store.ClaimAsync(TestJobs.Claim(id, worker: worker, batchId: batch), Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();

    private async Task<JobLease> ClaimAsync(Guid? batch = null, int? batchJobCount = null) =>
        (await Store.ClaimAsync(TestJobs.Claim(Guid.NewGuid(), batchId: batch, batchJobCount: batchJobCount), Cancellation))
            .ShouldBeOfType<ClaimResult.Claimed>()
            .Lease;

    [Fact]
    public void The_migrations_are_up_to_date_with_the_model()
    {
        using var context = Database.CreateContext();

        context.Database.HasPendingModelChanges().ShouldBeFalse("Add a migration: see docs/architecture.md.");
    }
}
