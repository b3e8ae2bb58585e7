using Dsde.Persistence.Analysis;
using Dsde.Persistence.Jobs;

namespace Dsde.Persistence.Tests;

/// <summary>What analytics reads.</summary>
public abstract partial class JobStoreContract
{
    [Fact]
    public async Task Traces_come_with_what_is_known_of_their_jobs_and_series_as_they_were_stored()
    {
        var (id, batch) = (Guid.NewGuid(), Guid.NewGuid());
        var survey = TestJobs.Trace() with
        {
            SurveyLength = [10, 9],
            SurveyAccepted = [3, 0],
            SurveyKld = [0.5f],
            SurveyBeta = [0.25f],
            SurveyDraftEntropy = [2],
        };
        var lease = ((ClaimResult.Claimed)await Store.ClaimAsync(TestJobs.Claim(id, batchId: batch), Cancellation)).Lease;
        var end = new CompletedJobEnd(
            lease,
            [TestJobs.Output("a"), TestJobs.Output("b") with { FinishReason = "length" }],
            [survey, TestJobs.Trace() with { Policy = "static:4" }]
        );
        await Store.StoreAsync(end, Cancellation);
        await Store.StoreAsync(
            new CancelledJobEnd(await ClaimAsync(), "cancelled", [TestJobs.Output("c")], [TestJobs.Trace()]),
            Cancellation
        );

        var read = await Traces.ReadAsync(new TraceFilter(), Cancellation).ToListAsync(Cancellation);

        read.Select(trace => (trace.JobId, trace.Choice)).ShouldBe([(id, 0), (id, 1)], "what was cancelled is not whole");
        read.Select(trace => trace.FinishReason).ShouldBe(["stop", "length"]);
        var (first, second) = (read[0], read[1]);
        (first.BatchId, first.Workload, first.CustomId, first.WorkerId).ShouldBe((batch, "stories", "custom", "worker-1"));
        first.WorkerStartId.ShouldBe(TestJobs.StartOf("worker-1"));
        first.Request.ShouldBe("{\"prompt\": \"a\"}");
        first.StoredAt.ShouldBe(Database.Time.GetUtcNow());
        first.Trace.SurveyLength.ShouldBe([10, 9]);
        first.Trace.SurveyAccepted.ShouldBe([3, 0]);
        first.Trace.SurveyKld.ShouldBe(survey.SurveyKld);
        first.Trace.SurveyBeta.ShouldBe(survey.SurveyBeta);
        first.Trace.SurveyDraftEntropy.ShouldBe(survey.SurveyDraftEntropy);
        first.Trace.IterationWvir.ShouldBe(TestJobs.Trace().IterationWvir);
        second.Trace.SurveyLength.ShouldBeNull();
    }

    [Fact]
    public async Task Traces_are_chosen_by_what_a_filter_names_and_none_is_read_twice_or_left_out_at_the_end_of_a_page()
    {
        var (batch, start) = (Guid.NewGuid(), Database.Time.GetUtcNow());
        for (var round = 0; round < 3; round++)
        {
            await Task.WhenAll(
                Enumerable
                    .Range(0, 90)
                    .Select(async i =>
                    {
                        var claim = TestJobs.Claim(Guid.NewGuid(), batchId: batch, workload: i < 10 ? "code" : "stories");
                        var lease = ((ClaimResult.Claimed)await Store.ClaimAsync(claim, Cancellation)).Lease;
                        var trace = TestJobs.Trace() with { Policy = i < 20 ? "static:4" : "dsde" };
                        await Store.StoreAsync(new CompletedJobEnd(lease, [TestJobs.Output("a")], [trace]), Cancellation);
                    })
            );
            Database.Time.Advance(TimeSpan.FromSeconds(1));
        }

        await Store.StoreAsync(TestJobs.Completed(await ClaimAsync()), Cancellation);

        var all = await Traces.ReadAsync(new TraceFilter(), Cancellation).ToListAsync(Cancellation);
        all.Count.ShouldBe(271);
        all.Select(trace => trace.JobId).ShouldBeUnique();
        all.Select(trace => trace.StoredAt).ShouldBeInOrder();
        (await CountAsync(new TraceFilter { BatchId = batch })).ShouldBe(270);
        (await CountAsync(new TraceFilter { BatchId = batch, Policy = "static:4" })).ShouldBe(60);
        (await CountAsync(new TraceFilter { Workload = "code" })).ShouldBe(30);
        (await CountAsync(new TraceFilter { TargetModel = "another" })).ShouldBe(0);
        (await CountAsync(new TraceFilter { From = start.AddSeconds(1), To = start.AddSeconds(2) })).ShouldBe(90);

        async Task<int> CountAsync(TraceFilter filter) => await Traces.ReadAsync(filter, Cancellation).CountAsync(Cancellation);
    }
}
