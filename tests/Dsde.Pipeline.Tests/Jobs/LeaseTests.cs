using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Run;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>Who has a job, and who has it no longer.</summary>
public sealed class LeaseTests : IAsyncLifetime
{
    private JobLife? _life;

    private JobLife Life => _life ?? throw new InvalidOperationException("Not initialised.");

    public async ValueTask InitializeAsync() => _life = await JobLife.CreateAsync();

    public ValueTask DisposeAsync() => Life.DisposeAsync();

    [Fact]
    public async Task A_worker_that_was_overtaken_neither_stores_nor_tells_its_own_result()
    {
        var (started, wakeUp) = (new TaskCompletionSource(), new TaskCompletionSource());
        var slow = Life.CreateWorker(
            async (request, _) =>
            {
                started.SetResult();
                await wakeUp.Task;
                return ScriptedEngine.Result(request, "of the slow one");
            }
        );
        var fast = Life.CreateWorker((request, _) => Task.FromResult(ScriptedEngine.Result(request, "of the fast one")));
        var job = JobLife.Job();
        var overtaken = slow.RunAsync(job);
        await started.Task;
        Life.Time.Advance(TimeSpan.FromMinutes(2));

        var first = (await fast.RunAsync(job)).ShouldBeOfType<JobOutcome.Ended>();
        wakeUp.SetResult();
        var second = (await overtaken).ShouldBeOfType<JobOutcome.Ended>();

        (first.IsNew, second.IsNew).ShouldBe((true, false));
        second.Job.Outputs.ShouldHaveSingleItem().Text.ShouldBe("of the fast one");
        System
            .Text.Json.JsonSerializer.Serialize(JobEvents.Create(second.Job, job))
            .ShouldBe(System.Text.Json.JsonSerializer.Serialize(JobEvents.Create(first.Job, job)));
    }

    [Fact]
    public async Task Work_whose_lease_is_gone_is_abandoned_at_once_and_the_job_looked_at_again()
    {
        var started = new TaskCompletionSource();
        var worker = Life.CreateWorker(
            async (_, cancellation) =>
            {
                started.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
                throw new InvalidOperationException("It was not abandoned.");
            }
        );
        var job = JobLife.Job();
        var overtaken = worker.RunAsync(job);
        await started.Task;
        Life.Time.Advance(TimeSpan.FromMinutes(2));
        var other = Life.CreateWorker((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        await other.RunToEndAsync(job);

        await worker.Renewal.RenewAsync(TestContext.Current.CancellationToken);

        (await overtaken).ShouldBeOfType<JobOutcome.Ended>().IsNew.ShouldBeFalse();
    }

    [Fact]
    public async Task Leases_of_running_and_of_waiting_jobs_are_renewed_as_time_passes()
    {
        var started = new TaskCompletionSource();
        var worker = Life.CreateWorker(
            async (request, cancellation) =>
            {
                started.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
                return ScriptedEngine.Result(request);
            }
        );
        var (running, waiting) = (JobLife.Job(), JobLife.Job());
        _ = worker.RunAsync(running);
        // Claimed is not yet inside: who wants to be alone would come first.
        await started.Task;
        var alone = worker.Gate.EnterAsync(mostInside: 1, TestContext.Current.CancellationToken).AsTask();
        _ = worker.RunAsync(waiting);
        await worker.ClaimedAsync(waiting.JobId);
        await worker.Renewal.StartAsync(TestContext.Current.CancellationToken);

        foreach (var job in (Contracts.SubmitGenerationJob[])[running, waiting])
        {
            var before = await HeldUntilAsync(job);
            while (await HeldUntilAsync(job) <= before + (worker.Lease / 2))
            {
                Life.Time.Advance(worker.Lease / 10);
                await Task.Delay(5, TestContext.Current.CancellationToken);
            }
        }

        await worker.Renewal.StopAsync(TestContext.Current.CancellationToken);
        alone.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task While_the_database_is_away_longer_than_a_lease_work_goes_on_and_is_stored_afterwards()
    {
        var isAway = false;
        var (started, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        var refused = new TaskCompletionSource();
        var engine = new ScriptedEngine(
            async (request, _) =>
            {
                started.SetResult();
                await finish.Task;
                return ScriptedEngine.Result(request, "kept");
            }
        );
        var worker = Life.CreateWorker(
            engine,
            wrap: store =>
                StoreProxy.Create(
                    store,
                    before: (_, _) =>
                    {
                        if (isAway)
                        {
                            refused.TrySetResult();
                            throw StoreProxy.Away();
                        }
                    }
                )
        );
        var running = worker.RunAsync(JobLife.Job());
        await started.Task;
        isAway = true;
        await Should.ThrowAsync<DatabaseUnavailableException>(() => worker.Renewal.RenewAsync(TestContext.Current.CancellationToken));
        Life.Time.Advance(worker.Lease * 2);
        refused = new TaskCompletionSource();
        finish.SetResult();
        await refused.Task; // it can't be stored
        running.IsCompleted.ShouldBeFalse();

        isAway = false;

        var ended = (await Life.PassTimeUntilAsync(running)).ShouldBeOfType<JobOutcome.Ended>();
        (ended.IsNew, ended.Job.Outputs[0].Text).ShouldBe((true, "kept"));
        engine.Requests.ShouldBe(1);
    }

    [Fact]
    public async Task A_job_that_another_worker_holds_is_not_waited_for_so_that_it_takes_nobodys_place()
    {
        var engine = new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        var worker = Life.CreateWorker(engine);
        var job = JobLife.Job();
        await Life.ClaimAsync(job);

        (await worker.RunAsync(job)).ShouldBeOfType<JobOutcome.HeldElsewhere>(); // and no time passes
        engine.Requests.ShouldBe(0);

        Life.Time.Advance(worker.Lease * 2);
        (await worker.RunAsync(job)).ShouldBeOfType<JobOutcome.Ended>().IsNew.ShouldBeTrue();
    }

    private async Task<DateTimeOffset> HeldUntilAsync(Contracts.SubmitGenerationJob job)
    {
        var claim = new JobDelivery(job, JobLane.Bulk).ToClaim(new WorkerIdentity("other"), new WorkerOptions());
        var held = (await Life.Store.ClaimAsync(claim, TestContext.Current.CancellationToken)).ShouldBeOfType<ClaimResult.Held>();
        return Life.Time.GetUtcNow() + held.Remaining;
    }
}
