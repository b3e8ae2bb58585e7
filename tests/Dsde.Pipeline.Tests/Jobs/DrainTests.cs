using Dsde.Engine;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Checkpoints;
using Dsde.Pipeline.Jobs.Ends;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>What a worker that is told to stop does with its jobs.</summary>
public sealed class DrainTests : IAsyncLifetime
{
    private JobLife? _life;

    private JobLife Life => _life ?? throw new InvalidOperationException("Not initialised.");

    public async ValueTask InitializeAsync() => _life = await JobLife.CreateAsync();

    public ValueTask DisposeAsync() => Life.DisposeAsync();

    [Fact]
    public async Task Jobs_have_the_time_to_drain_then_are_suspended_and_at_last_abandoned()
    {
        var (worker, lifetime) = (
            Life.CreateWorker((request, _) => Task.FromResult(ScriptedEngine.Result(request)), new WorkerOptions { DrainSeconds = 30 }),
            new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance)
        );
        using var timer = new DrainTimer(lifetime, worker.Running, worker.Options, Life.Time, NullLogger<DrainTimer>.Instance);
        await timer.StartAsync(TestContext.Current.CancellationToken);
        Life.Time.Advance(TimeSpan.FromHours(1));

        lifetime.StopApplication();
        Life.Time.Advance(TimeSpan.FromSeconds(29));
        (worker.Running.HandBack.IsCancellationRequested, worker.Running.Abandoned.IsCancellationRequested).ShouldBe((false, false));
        Life.Time.Advance(TimeSpan.FromSeconds(1));
        (worker.Running.HandBack.IsCancellationRequested, worker.Running.Abandoned.IsCancellationRequested).ShouldBe((true, false));
        Life.Time.Advance(DrainTimer.SuspendTime);
        worker.Running.Abandoned.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public async Task What_is_delivered_after_the_stop_when_the_services_are_gone_is_handed_back_and_not_failed()
    {
        var engine = new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        var worker = Life.CreateWorker(engine);
        using var timer = new DrainTimer(
            new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance),
            worker.Running,
            worker.Options,
            Life.Time,
            NullLogger<DrainTimer>.Instance
        );
        await timer.StartAsync(TestContext.Current.CancellationToken);

        await timer.StopAsync(TestContext.Current.CancellationToken);
        await worker.DisposeAsync();

        (await worker.RunAsync(JobLife.Job())).ShouldBeOfType<JobOutcome.HandedBack>();
        engine.Requests.ShouldBe(0);
    }

    [Fact]
    public async Task A_running_job_is_suspended_and_the_next_worker_gets_where_it_stopped()
    {
        var started = new TaskCompletionSource();
        var worker = Life.CreateWorker(
            async (request, cancellation) =>
            {
                started.SetResult();
                while (request.Control.ShouldNotBeNull().Asked != FinishReason.Suspended)
                {
                    await Task.Delay(1, cancellation);
                }

                var result = ScriptedEngine.Result(request);
                return result with { FinishReason = FinishReason.Suspended, Checkpoint = ScriptedEngine.Checkpoint(request, result) };
            }
        );
        var job = JobLife.Job();
        var running = worker.RunAsync(job);
        await started.Task;

        worker.Running.HandBackAll();

        (await running).ShouldBeOfType<JobOutcome.HandedBack>();
        (await Life.FindAsync(job.JobId)).State.ShouldBe(JobState.Queued);
        var claimed = await Life.ClaimAsync(job);
        claimed.LostStarts.ShouldBe(0);
        var saved = claimed.Checkpoints.ShouldHaveSingleItem();
        (saved.Choice, saved.TokenCount).ShouldBe((0, 3));
        CheckpointCodec.TryDecode(saved.State, out var checkpoint).ShouldBeTrue();
        checkpoint.ShouldNotBeNull().TokenIds.ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task What_waits_for_the_engine_is_handed_back_and_nothing_new_begins()
    {
        var engine = new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        var worker = Life.CreateWorker(engine);
        using var alone = await worker.Gate.EnterAsync(mostInside: 1, TestContext.Current.CancellationToken);
        var atTheGate = JobLife.Job();
        var waiting = worker.RunAsync(atTheGate);
        await worker.ClaimedAsync(atTheGate.JobId);

        worker.Running.HandBackAll();

        (await waiting).ShouldBeOfType<JobOutcome.HandedBack>();
        (await worker.RunAsync(JobLife.Job())).ShouldBeOfType<JobOutcome.HandedBack>();
        engine.Requests.ShouldBe(0);
        (await Life.ClaimAsync(atTheGate)).LostStarts.ShouldBe(0);
    }

    [Fact]
    public async Task A_job_that_is_told_to_stop_while_the_database_is_away_is_handed_back_all_the_same()
    {
        var isAway = false;
        var worker = Life.CreateWorker(
            new ScriptedEngine(
                (request, _) =>
                {
                    isAway = true;
                    return Task.FromResult(ScriptedEngine.Result(request));
                }
            ),
            wrap: store =>
                StoreProxy.Create(
                    store,
                    before: (_, _) =>
                    {
                        if (isAway)
                        {
                            throw StoreProxy.Away();
                        }
                    }
                )
        );
        var job = JobLife.Job();
        var running = worker.RunAsync(job);
        await worker.ClaimedAsync(job.JobId);

        worker.Running.HandBackAll();

        (await running).ShouldBeOfType<JobOutcome.HandedBack>();
    }
}
