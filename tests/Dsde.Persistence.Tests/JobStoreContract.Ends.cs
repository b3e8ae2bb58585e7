using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dsde.Persistence.Jobs;

namespace Dsde.Persistence.Tests;

/// <summary>What is asked of a job's end: called off, taken back, erased, and known without reading it back.</summary>
public abstract partial class JobStoreContract
{
    [Fact]
    public async Task Cancelling_asks_and_only_who_has_the_job_ends_it()
    {
        var (unknown, running, done) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        var (runningClaim, doneClaim) = (await ClaimAsync(running, "worker-1"), await ClaimAsync(done, "worker-1"));
        await Store.StoreAsync(TestJobs.Completed(doneClaim.Lease), Cancellation);

        (await Store.CancelJobAsync(unknown, Cancellation)).ShouldBeTrue();
        (await Store.CancelJobAsync(unknown, Cancellation)).ShouldBeTrue();
        (await Store.CancelJobAsync(running, Cancellation)).ShouldBeTrue();
        (await Store.CancelJobAsync(done, Cancellation)).ShouldBeFalse();

        var queued = (await Store.FindAsync([unknown], Cancellation))[0];
        (queued.State, queued.Request, queued.EndedAt).ShouldBe((JobState.Queued, null, null));
        (await Store.FindAsync([running], Cancellation))[0].State.ShouldBe(JobState.Running);
        (await TakeOverAsync(running)).IsCancelRequested.ShouldBeTrue();
        (await Store.StoreAsync(TestJobs.Completed(runningClaim.Lease), Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task A_job_that_was_cancelled_before_it_came_is_complete_when_it_comes()
    {
        var (id, batch) = (Guid.NewGuid(), Guid.NewGuid());
        await Store.CancelJobAsync(id, Cancellation);
        Database.Time.Advance(TimeSpan.FromSeconds(5));

        var claimed = await ClaimAsync(id, "worker-1", batch);

        (claimed.IsCancelRequested, claimed.Attempt, claimed.LostStarts, claimed.CreatedAt).ShouldBe(
            (true, 1, 0, Database.Time.GetUtcNow() - TimeSpan.FromSeconds(5))
        );
        await Store.StoreAsync(new CancelledJobEnd(claimed.Lease, "cancelled", [], []), Cancellation);
        var job = (await Store.FindAsync([id], Cancellation))[0];
        (job.State, job.CancelReason, job.BatchId, job.CustomId, job.Model, job.Workload).ShouldBe(
            (JobState.Cancelled, "cancelled", batch, "custom", "demo", "stories")
        );
        job.Request.ShouldNotBeNull();
        (await Store.ClaimAsync(TestJobs.Claim(id, "{\"prompt\": \"b\"}"), Cancellation)).ShouldBeOfType<ClaimResult.Conflict>();
        (await Store.FindBatchAsync(batch, Cancellation)).ShouldNotBeNull().Cancelled.ShouldBe(1);
    }

    [Fact]
    public async Task A_cancelled_batch_cancels_jobs_that_come_later_known_or_not()
    {
        var (known, unknown) = (Guid.NewGuid(), Guid.NewGuid());
        await Store.RegisterBatchAsync(new NewBatch(known, 2, null), Cancellation);

        await Store.CancelBatchAsync(known, Cancellation);
        await Store.CancelBatchAsync(unknown, Cancellation);

        (await ClaimAsync(Guid.NewGuid(), "worker-1", known)).IsCancelRequested.ShouldBeTrue();
        (await ClaimAsync(Guid.NewGuid(), "worker-1", unknown)).IsCancelRequested.ShouldBeTrue();
        (await ClaimAsync(Guid.NewGuid(), "worker-1", Guid.NewGuid())).IsCancelRequested.ShouldBeFalse();
        (await Store.FindBatchAsync(unknown, Cancellation)).ShouldNotBeNull().JobCount.ShouldBeNull();
    }

    [Fact]
    public async Task A_reopened_job_is_as_if_it_had_never_been_started_and_its_batch_is_open_again()
    {
        var (id, batch) = (Guid.NewGuid(), Guid.NewGuid());
        await Store.RegisterBatchAsync(new NewBatch(batch, 1, null), Cancellation);
        var first = await ClaimAsync(id, "worker-1", batch);
        (await Store.ReopenAsync(id, Cancellation)).ShouldBeFalse();
        var second = await TakeOverAsync(id);
        (await Store.StoreAsync(TestJobs.Failed(second.Lease), Cancellation)).ShouldNotBeNull().CompletedBatch.ShouldNotBeNull();
        await Store.MarkBatchAnnouncedAsync(batch, Cancellation);

        (await Store.ReopenAsync(id, Cancellation)).ShouldBeTrue();

        (await Store.ReopenAsync(id, Cancellation)).ShouldBeFalse();
        (await Store.ReopenAsync(Guid.NewGuid(), Cancellation)).ShouldBeFalse();
        (await Store.FindBatchAsync(batch, Cancellation)).ShouldBe(new BatchProgress(batch, 1, 0, 0, 0, 0, false, null) { Reopenings = 1 });
        (await Store.StoreAsync(TestJobs.Completed(second.Lease), Cancellation)).ShouldBeNull();
        var again = await ClaimAsync(id, "worker-1", batch);
        (again.Attempt, again.LostStarts, again.Reopenings, again.CreatedAt).ShouldBe((1, 0, 1, first.CreatedAt));
        var stored = (await Store.StoreAsync(TestJobs.Completed(again.Lease), Cancellation)).ShouldNotBeNull();
        stored.CompletedBatch.ShouldBe(new BatchProgress(batch, 1, 0, 1, 0, 0, false, Database.Time.GetUtcNow()) { Reopenings = 1 });
        (await Store.FindAsync([id], Cancellation))[0].Failure.ShouldBeNull();
    }

    [Fact]
    public async Task Erasing_leaves_the_hashes_of_the_texts_and_all_counts()
    {
        var claimed = await ClaimAsync(Guid.NewGuid(), "worker-1");
        await Store.EraseAsync(claimed.Lease.JobId, Cancellation); // has no end yet
        await Store.StoreAsync(
            new CompletedJobEnd(
                claimed.Lease,
                [
                    TestJobs.Output("first 🙂") with
                    {
                        PromptTokenIds = [4],
                        TokenBytes = [1, 2],
                    },
                    TestJobs.Output("second") with
                    {
                        PromptTokenIds = [5],
                        TopTokenIds = [1],
                        TopLogProbabilities = [-1],
                        TokenBytes = [1, 2],
                    },
                ],
                [TestJobs.Trace(), TestJobs.Trace()]
            ),
            Cancellation
        );

        await Store.EraseAsync(claimed.Lease.JobId, Cancellation);
        await Store.EraseAsync(claimed.Lease.JobId, Cancellation);
        await Store.EraseAsync(Guid.NewGuid(), Cancellation);

        var job = (await Store.FindAsync([claimed.Lease.JobId], Cancellation))[0];
        job.Outputs.Count.ShouldBe(2);
        job.Outputs.ShouldAllBe(output =>
            output.Text == null
            && output.TokenIds == null
            && output.PromptTokenIds == null
            && output.TokenLogProbabilities == null
            && output.TopTokenIds == null
            && output.TopLogProbabilities == null
            && output.TokenBytes == null
            && output.CompletionTokens == 9
            && output.PromptTokens == 7
            && output.FinishReason == "stop"
        );
        job.Traces.Count.ShouldBe(2);
        await using var context = Database.CreateContext();
        context.Jobs.Single().TextHash.ShouldBe(SHA256.HashData(Encoding.UTF8.GetBytes("first 🙂")));
        context.Choices.Single().TextHash.ShouldBe(SHA256.HashData(Encoding.UTF8.GetBytes("second")));
    }

    [Fact]
    public async Task An_ended_job_is_known_as_it_would_be_read_back()
    {
        Database.Time.Advance(TimeSpan.FromTicks(12_345_678_917)); // finer than a database keeps
        var claim = TestJobs.Claim(Guid.NewGuid(), "{\"prompt\":  \"a\", \"a\": 1.50e0}", batchId: Guid.NewGuid());
        var claims = new[]
        {
            claim,
            TestJobs.Claim(Guid.NewGuid()),
            TestJobs.Claim(Guid.NewGuid()) with
            {
                CustomId = null,
                Workload = null,
            },
        };
        foreach (var (job, index) in claims.Select((job, index) => (job, index)))
        {
            var claimed = (await Store.ClaimAsync(job, Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
            Database.Time.Advance(TimeSpan.FromTicks(10_000_003));
            JobTrace odd = TestJobs.Trace() with
            {
                MeanKld = 0.1f + 0.2f,
                MaxKld = null,
                TotalMs = 1.0 / 3,
                WaitingMs = double.Epsilon,
                Temperature = float.MaxValue,
            };
            JobEnd end = index switch
            {
                0 => new CompletedJobEnd(
                    claimed.Lease,
                    [
                        TestJobs.Output("one") with
                        {
                            PromptTokenIds = [1, 2],
                        },
                        TestJobs.Output("two") with
                        {
                            PromptIndex = 1,
                            PromptTokens = 2,
                            PromptTokenIds = [3, 4],
                            TopTokenIds = [],
                            TopLogProbabilities = [],
                            TokenLogProbabilities = [0.1f, -1e-45f],
                            TokenBytes = [],
                        },
                    ],
                    [odd, TestJobs.Trace()]
                ),
                1 => TestJobs.Failed(claimed.Lease, "not\0good"),
                _ => new CancelledJobEnd(
                    claimed.Lease,
                    "expired",
                    [TestJobs.Output(""), TestJobs.Output("x")],
                    [odd with { CompletionTokens = 0 }, odd]
                ),
            };
            var stored = (await Store.StoreAsync(end, Cancellation)).ShouldNotBeNull();

            var known = StoredJob.From(job, claimed, end, stored);

            var read = (await Store.FindAsync([job.JobId], Cancellation)).ShouldHaveSingleItem();
            JsonSerializer.Serialize(known).ShouldBe(JsonSerializer.Serialize(read));
            known.Traces.ShouldAllBe(trace => trace.GetType() == typeof(TraceSummary));
        }
    }

    [Theory]
    [InlineData("a<0>b", "a\uFFFDb")]
    [InlineData("<D83D>", "\uFFFD")]
    [InlineData("<DE42><D83D>!", "\uFFFD\uFFFD!")]
    [InlineData("🙂<0>", "🙂\uFFFD")]
    [InlineData("<1><7F><FFFF>", "\u0001\u007f\uFFFF")]
    public async Task No_text_makes_a_write_fail(string template, string kept)
    {
        // Half a pair can't be written in an attribute.
        var text = Regex.Replace(template, "<([0-9A-F]+)>", match => $"{(char)Convert.ToInt32(match.Groups[1].Value, 16)}");
        var (id, failing) = (Guid.NewGuid(), Guid.NewGuid());
        var claim = TestJobs.Claim(id) with
        {
            CustomId = text,
            Model = text,
            Workload = text,
            TraceParent = text,
            Request = JsonSerializer.Serialize(new { prompt = text }),
        };
        var claimed = (await Store.ClaimAsync(claim, Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
        await Store.StoreAsync(
            new CompletedJobEnd(claimed.Lease, [TestJobs.Output(text), TestJobs.Output(text)], [TestJobs.Trace(), TestJobs.Trace()]),
            Cancellation
        );
        await Store.StoreAsync(TestJobs.Failed((await ClaimAsync(failing, "worker-1")).Lease, text), Cancellation);

        var job = (await Store.FindAsync([id], Cancellation))[0];
        (job.CustomId, job.Model, job.Workload).ShouldBe((kept, kept, kept));
        job.Outputs.ShouldAllBe(output => output.Text == kept);
        (await Store.FindAsync([failing], Cancellation))[0].Failure.ShouldNotBeNull().Message.ShouldBe(kept);
    }

    [Theory]
    [InlineData(@"{""p"": ""a\u0000b""}", @"{""p"": ""a\ufffdb""}")]
    [InlineData(@"{""p"": ""\ud83d\ude42 \uD83D \ude42""}", @"{""p"": ""\ud83d\ude42 \ufffd \ufffd""}")]
    [InlineData(@"{""p"": ""\\u0000 \n\""\\\u0000""}", @"{""p"": ""\\u0000 \n\""\\\ufffd""}")]
    [InlineData(
        @"{""p"": 1e400, ""q"": 123456789012345678901234567890.123456789, ""p"": ""\u00e9""}",
        @"{""p"": 1e400, ""q"": 123456789012345678901234567890.123456789, ""p"": ""\u00e9""}"
    )]
    public async Task A_request_is_kept_as_it_was_written_but_for_what_no_database_reads(string request, string kept)
    {
        var id = Guid.NewGuid();

        (await Store.ClaimAsync(TestJobs.Claim(id, request), Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();

        (await Store.FindAsync([id], Cancellation))[0].Request.ShouldBe(kept);
        await using var context = Database.CreateContext();
        await Microsoft
            .EntityFrameworkCore.RelationalDatabaseFacadeExtensions.SqlQueryRaw<string>(
                context.Database,
                "SELECT request ->> 'p' AS \"Value\" FROM generation_jobs"
            )
            .ToAsyncEnumerable()
            .ToListAsync(Cancellation);
    }

    [Fact]
    public async Task A_request_may_be_long_and_deep()
    {
        var (deep, large) = (Guid.NewGuid(), Guid.NewGuid());
        var claims = new[]
        {
            TestJobs.Claim(deep, $"{new string('[', 500)}{new string(']', 500)}"),
            TestJobs.Claim(large, JsonSerializer.Serialize(new { prompt = new string('x', 5_000_000) })),
        };

        var claimed = await Task.WhenAll(claims.Select(claim => Store.ClaimAsync(claim, Cancellation)));

        claimed.ShouldAllBe(result => result is ClaimResult.Claimed);
        (await Store.FindAsync([large], Cancellation))[0].Request.ShouldBe(claims[1].Request);
    }
}
