using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>What is tried again, what is not, and what an operator finds in the error queue.</summary>
public sealed class FailureTests : IAsyncLifetime
{
    private JobLife? _life;

    private JobLife Life => _life ?? throw new InvalidOperationException("Not initialised.");

    public async ValueTask InitializeAsync() => _life = await JobLife.CreateAsync();

    public ValueTask DisposeAsync() => Life.DisposeAsync();

    [Fact]
    public async Task A_failing_engine_is_tried_again_later_and_later()
    {
        var failures = new List<DateTimeOffset>();
        var worker = Life.CreateWorker(
            (request, _) =>
            {
                failures.Add(Life.Time.GetUtcNow());
                return failures.Count <= 4
                    ? throw new EngineFailureException("out of luck")
                    : Task.FromResult(ScriptedEngine.Result(request));
            },
            new WorkerOptions { EngineRetries = 5, LeaseSeconds = 3600 }
        );
        var running = worker.RunToEndAsync(JobLife.Job());
        while (failures.Count == 0)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        await Task.Delay(20, TestContext.Current.CancellationToken);
        failures.Count.ShouldBe(1); // as long as no time passes

        (await Life.PassTimeUntilAsync(running)).State.ShouldBe(JobState.Completed);
        failures.Count.ShouldBe(5);
        (failures[4] - failures[0]).ShouldBeGreaterThan(TimeSpan.FromSeconds(2));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 3)]
    public async Task A_job_that_the_engine_fails_on_for_good_fails_retryably_and_is_dead_lettered(int retries, int requests)
    {
        var engine = new ScriptedEngine((_, _) => throw new EngineFailureException("out of luck"));
        var worker = Life.CreateWorker(engine, new WorkerOptions { EngineRetries = retries });

        var ended = (await Life.PassTimeUntilAsync(worker.RunAsync(JobLife.Job()))).ShouldBeOfType<JobOutcome.Ended>();

        engine.Requests.ShouldBe(requests);
        ended.Job.Failure.ShouldBe(new JobFailure(FailureCodes.EngineError, "out of luck", Retryable: true));
        ended.DeadLetterReason.ShouldBe("engine_error: out of luck");
    }

    [Fact]
    public async Task A_job_cancelled_between_two_tries_is_not_tried_again()
    {
        var tried = new TaskCompletionSource();
        var worker = Life.CreateWorker(
            (_, _) =>
            {
                tried.TrySetResult();
                throw new EngineFailureException("out of luck");
            }
        );
        var job = JobLife.Job();
        var running = worker.RunToEndAsync(job);
        await tried.Task;

        worker.Running.CancelJob(job.JobId);

        (await running).CancelReason.ShouldBe("cancelled");
    }

    [Fact]
    public async Task What_can_never_run_is_not_tried_again_and_not_dead_lettered()
    {
        var engine = new ScriptedEngine((_, _) => throw new ArgumentException("TopK is -1; give 0 or more."));

        var ended = (await Life.CreateWorker(engine).RunAsync(JobLife.Job())).ShouldBeOfType<JobOutcome.Ended>();

        engine.Requests.ShouldBe(1);
        ended.Job.Failure.ShouldBe(new JobFailure(FailureCodes.InvalidRequest, "TopK is -1; give 0 or more.", Retryable: false));
        ended.DeadLetterReason.ShouldBeNull();
    }

    [Fact]
    public async Task A_bug_costs_the_job_it_happens_on_and_tells_nobody_its_text()
    {
        var worker = Life.CreateWorker((_, _) => throw new InvalidOperationException("secret prompt"));

        var ended = (await worker.RunAsync(JobLife.Job())).ShouldBeOfType<JobOutcome.Ended>();

        var failure = ended.Job.Failure.ShouldNotBeNull();
        (failure.Code, failure.Retryable).ShouldBe((FailureCodes.InternalError, true));
        failure.Message.ShouldContain("InvalidOperationException");
        failure.Message.ShouldNotContain("secret");
        ended.DeadLetterReason.ShouldNotBeNull().ShouldStartWith("internal_error: ");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task An_output_whose_storing_fails_now_and_then_for_different_reasons_is_stored_all_the_same(int failures)
    {
        var tries = 0;
        var worker = Life.CreateWorker(
            new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request))),
            wrap: store =>
                StoreProxy.Create(
                    store,
                    before: (_, arguments) =>
                    {
                        if (arguments.OfType<JobEnd>().Any() && ++tries <= failures)
                        {
                            throw new InvalidOperationException($"reason {tries}");
                        }
                    }
                )
        );

        var ended = (await worker.RunAsync(JobLife.Job())).ShouldBeOfType<JobOutcome.Ended>();

        ended.Job.State.ShouldBe(JobState.Completed);
        ended.DeadLetterReason.ShouldBeNull();
        tries.ShouldBe(failures + 1);
    }

    [Fact]
    public async Task An_end_that_was_stored_before_storing_it_failed_is_told_as_it_is_stored()
    {
        var worker = Life.CreateWorker(
            new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request))),
            wrap: store =>
                StoreProxy.Create(
                    store,
                    after: call =>
                        call == nameof(store.StoreAsync) ? throw new InvalidOperationException("The answer was lost.") : Task.CompletedTask
                )
        );
        var job = JobLife.Job();
        await Should.ThrowAsync<InvalidOperationException>(() => worker.RunAsync(job)); // nothing that it stores is ever answered

        var next = await Life.CreateWorker((_, _) => throw new InvalidOperationException("Not asked for.")).RunAsync(job);

        next.ShouldBeOfType<JobOutcome.Ended>().Job.State.ShouldBe(JobState.Completed);
    }

    [Fact]
    public async Task An_end_that_the_database_refuses_twice_in_the_same_way_becomes_a_failure()
    {
        var worker = Life.CreateWorker(
            new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request))),
            wrap: store =>
                StoreProxy.Create(
                    store,
                    before: (_, arguments) =>
                    {
                        if (arguments.OfType<CompletedJobEnd>().Any())
                        {
                            throw new InvalidOperationException("refused");
                        }
                    }
                )
        );
        var job = JobLife.Job();

        (await worker.RunAsync(job))
            .ShouldBeOfType<JobOutcome.Ended>()
            .Job.Failure.ShouldNotBeNull()
            .Code.ShouldBe(FailureCodes.InternalError);
        (await Life.FindAsync(job.JobId)).State.ShouldBe(JobState.Failed);
    }

    [Fact]
    public async Task If_no_end_at_all_can_be_stored_the_job_is_released_and_the_fault_is_the_message_s()
    {
        var worker = Life.CreateWorker(
            new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request))),
            wrap: store =>
                StoreProxy.Create(
                    store,
                    before: (_, arguments) =>
                    {
                        if (arguments.OfType<JobEnd>().Any())
                        {
                            throw new InvalidOperationException("refused");
                        }
                    }
                )
        );
        var job = JobLife.Job();

        await Should.ThrowAsync<InvalidOperationException>(() => worker.RunAsync(job));

        (await Life.FindAsync(job.JobId)).State.ShouldBe(JobState.Queued);
        worker.Running.Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_job_whose_engine_has_broken_down_is_handed_back_unharmed()
    {
        using var broken = new CancellationTokenSource();
        var engine = new ScriptedEngine(
            (_, _) =>
            {
                broken.Cancel();
                throw new EngineFailureException("broken down");
            },
            broken.Token
        );
        var job = JobLife.Job();

        (await Life.CreateWorker(engine).RunAsync(job)).ShouldBeOfType<JobOutcome.HandedBack>();

        engine.Requests.ShouldBe(1);
        (await Life.FindAsync(job.JobId)).State.ShouldBe(JobState.Queued);
        (await Life.ClaimAsync(job)).LostStarts.ShouldBe(0);
    }

    [Fact]
    public async Task A_job_of_the_high_lane_is_worth_more_to_the_engine_and_never_too_much_for_it()
    {
        var priorities = new List<int>();
        var worker = Life.CreateWorker(
            (request, _) =>
            {
                priorities.Add(request.Priority);
                return Task.FromResult(ScriptedEngine.Result(request));
            }
        );

        await worker.RunAsync(JobLife.Job() with { Priority = 3 });
        await worker.RunAsync(JobLife.Job() with { Priority = 3 }, JobLane.High);
        await worker.RunAsync(JobLife.Job() with { Priority = int.MaxValue }, JobLane.High);

        priorities.ShouldBe([3, 3 + JobAttempt.HighLaneLevels, int.MaxValue]);
    }
}
