using Dsde.Persistence.Analysis;
using Dsde.Persistence.Jobs;

namespace Dsde.Persistence.Tests;

/// <summary>What reports and exports read besides traces.</summary>
public abstract partial class JobStoreContract
{
    [Fact]
    public async Task Summaries_are_the_same_outputs_as_traces_in_the_same_order_without_their_series()
    {
        await StoreSomeAsync(20);

        var traces = await Traces.ReadAsync(new TraceFilter(), Cancellation).ToListAsync(Cancellation);
        var summaries = await Traces.ReadSummariesAsync(new TraceFilter(), Cancellation).ToListAsync(Cancellation);

        summaries
            .Select(one => (one.JobId, one.Choice, one.StoredAt, one.Workload, one.WorkerId, one.CustomId))
            .ShouldBe(traces.Select(one => (one.JobId, one.Choice, one.StoredAt, one.Workload, one.WorkerId, one.CustomId)));
        summaries.Select(one => one.Trace).ShouldBe(traces.Select(one => TraceSummary.Of(one.Trace)));
        summaries.ShouldAllBe(one => one.CreatedAt != null);
        var half = await Traces
            .ReadSummariesAsync(
                new TraceFilter { After = new TracePlace(traces[9].StoredAt, traces[9].JobId, traces[9].Choice) },
                Cancellation
            )
            .ToListAsync(Cancellation);
        half.Select(one => one.JobId).ShouldBe(traces.Skip(10).Select(one => one.JobId));
    }

    [Fact]
    public async Task A_sample_has_the_jobs_whose_ids_end_below_its_size()
    {
        await StoreSomeAsync(120);
        var ids = (await Traces.ReadAsync(new TraceFilter(), Cancellation).ToListAsync(Cancellation)).ConvertAll(one => one.JobId);

        foreach (var sample in (int[])[1, 100, 255, TraceFilter.SampleOf])
        {
            var read = await Traces.ReadAsync(new TraceFilter { Sample = sample }, Cancellation).ToListAsync(Cancellation);

            read.Select(one => one.JobId).ShouldBe(ids.Where(id => Convert.ToInt32(id.ToString()[^2..], 16) < sample), $"{sample}");
        }
    }

    [Fact]
    public async Task Jobs_are_counted_by_what_became_of_them()
    {
        var batch = Guid.NewGuid();
        await StoreSomeAsync(3, batch);
        await Store.StoreAsync(TestJobs.Failed(await ClaimAsync(batch)), Cancellation);
        await Store.StoreAsync(TestJobs.Failed(await ClaimAsync()), Cancellation);
        await ClaimAsync(batch);

        var all = await Traces.CountAsync(new TraceFilter(), Cancellation);
        var own = await Traces.CountAsync(new TraceFilter { BatchId = batch }, Cancellation);
        var ran = await Traces.CountAsync(new TraceFilter { Policy = "dsde" }, Cancellation);
        var none = await Traces.CountAsync(new TraceFilter { Policy = "static:9" }, Cancellation);

        (all.ByState["completed"], all.ByState["failed"], all.ByState["running"], all.Outputs).ShouldBe((3L, 2L, 1L, 3L));
        all.FailuresByCode.ShouldBe(new Dictionary<string, long> { ["engine_error"] = 2 });
        (own.ByState["completed"], own.ByState["failed"], own.ByState["running"]).ShouldBe((3L, 1L, 1L));
        ran.ByState.ShouldBe(new Dictionary<string, long> { ["completed"] = 3 });
        none.ByState.ShouldBeEmpty();
    }

    [Fact]
    public async Task Ended_jobs_are_read_in_the_order_of_their_ends_and_go_on_behind_a_place()
    {
        await StoreSomeAsync(5);
        await Store.StoreAsync(TestJobs.Failed(await ClaimAsync()), Cancellation);
        await ClaimAsync();

        var ended = await Traces.ReadEndedJobsAsync(new TraceFilter(), Cancellation).ToListAsync(Cancellation);

        ended.Count.ShouldBe(6);
        ended.Select(job => job.EndedAt).ShouldBeInOrder();
        (ended[^1].State, ended[^1].FailureCode, ended[0].State, ended[0].FailureCode).ShouldBe(
            ("failed", "engine_error", "completed", null)
        );
        var place = new TracePlace(ended[1].EndedAt, ended[1].JobId, 0);
        (await Traces.ReadEndedJobsAsync(new TraceFilter { After = place }, Cancellation).ToListAsync(Cancellation))
            .Select(job => job.JobId)
            .ShouldBe(ended.Skip(2).Select(job => job.JobId));
    }

    [Fact]
    public async Task Texts_and_traces_of_some_jobs_are_found()
    {
        await StoreSomeAsync(3);
        var ids = (await Traces.ReadAsync(new TraceFilter(), Cancellation).ToListAsync(Cancellation)).ConvertAll(one => one.JobId);

        var texts = await Traces.ReadTextsAsync([ids[0], ids[2], Guid.NewGuid()], Cancellation);
        var traces = await Traces.ReadOfJobsAsync([ids[1]], Cancellation);

        texts.ShouldBe(
            new Dictionary<(Guid, int), string> { [(ids[0], 0)] = "once upon a time", [(ids[2], 0)] = "once upon a time" },
            ignoreOrder: true
        );
        traces.ShouldHaveSingleItem().JobId.ShouldBe(ids[1]);
    }

    /// <summary>Jobs that complete one second after the other.</summary>
    private async Task StoreSomeAsync(int count, Guid? batch = null)
    {
        for (var i = 0; i < count; i++)
        {
            await Store.StoreAsync(TestJobs.Completed(await ClaimAsync(batch)), Cancellation);
            Database.Time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
