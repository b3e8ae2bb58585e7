using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>Calling a job off, wherever it is. Who has the job writes its end; others only ask.</summary>
public sealed class CancellationTests : IAsyncLifetime
{
    private JobLife? _life;

    private JobLife Life => _life ?? throw new InvalidOperationException("Not initialised.");

    public async ValueTask InitializeAsync() => _life = await JobLife.CreateAsync();

    public ValueTask DisposeAsync() => Life.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_job_cancelled_while_it_is_queued_ends_when_its_message_comes_and_never_runs(bool isByBatch)
    {
        var engine = new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        var job = JobLife.Job() with { BatchId = Guid.NewGuid() };
        await (
            isByBatch
                ? Life.Store.CancelBatchAsync(job.BatchId.Value, TestContext.Current.CancellationToken)
                : Life.Store.CancelJobAsync(job.JobId, TestContext.Current.CancellationToken)
        );

        var ended = await Life.CreateWorker(engine).RunToEndAsync(job);

        (ended.State, ended.CancelReason, ended.Outputs.Count).ShouldBe((JobState.Cancelled, "cancelled", 0));
        engine.Requests.ShouldBe(0);
        JobEvents.Create(ended, job).ShouldBeOfType<GenerationJobCancelled>().Metadata.ShouldNotBeNull()["workload"].ShouldBe("test");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_job_cancelled_in_the_moment_of_its_claim_is_stopped(bool isByBatch)
    {
        // The command comes after the claim has looked for the mark, and before the worker knows that it has the job.
        var job = JobLife.Job() with
        {
            BatchId = Guid.NewGuid(),
        };
        var engine = new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        TestWorker? worker = null;
        worker = Life.CreateWorker(
            engine,
            wrap: store =>
                StoreProxy.Create(
                    store,
                    after: call =>
                    {
                        if (call == nameof(store.ClaimAsync))
                        {
                            (isByBatch ? (Action<Guid>)worker!.Running.CancelBatch : worker!.Running.CancelJob)(
                                isByBatch ? job.BatchId.Value : job.JobId
                            );
                        }

                        return Task.CompletedTask;
                    }
                )
        );

        (await worker.RunToEndAsync(job)).CancelReason.ShouldBe("cancelled");
        engine.Requests.ShouldBe(0);
    }

    [Fact]
    public async Task A_job_cancelled_while_it_waits_for_the_engine_ends_at_once()
    {
        var worker = Life.CreateWorker((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        using var alone = await worker.Gate.EnterAsync(mostInside: 1, TestContext.Current.CancellationToken);
        var job = JobLife.Job();
        var running = worker.RunToEndAsync(job);
        await worker.ClaimedAsync(job.JobId);

        worker.Running.CancelJob(job.JobId);

        (await running).CancelReason.ShouldBe("cancelled");
    }

    [Fact]
    public async Task A_job_whose_deadline_passes_while_it_waits_for_the_engine_ends_at_once()
    {
        var worker = Life.CreateWorker((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        using var alone = await worker.Gate.EnterAsync(mostInside: 1, TestContext.Current.CancellationToken);
        var running = worker.RunToEndAsync(JobLife.Job() with { ExpiresAt = Life.Time.GetUtcNow().AddSeconds(30) });

        (await Life.PassTimeUntilAsync(running)).CancelReason.ShouldBe("expired");
    }

    [Fact]
    public async Task A_worker_that_missed_the_command_learns_of_it_when_it_renews_the_lease_and_keeps_the_partial_texts()
    {
        var worker = Life.CreateWorker(
            async (request, _) =>
            {
                while (request.Control.ShouldNotBeNull().Asked is null)
                {
                    await Task.Delay(1, TestContext.Current.CancellationToken);
                }

                var isBegun = request.Sampling.Seed == 11;
                var result = ScriptedEngine.Result(request, isBegun ? "once upon" : "") with { FinishReason = FinishReason.Cancelled };
                return isBegun
                    ? result
                    : result with
                    {
                        TokenIds = [],
                        TokenLogProbabilities = [],
                        Trace = result.Trace with { CompletionTokens = 0 },
                    };
            }
        );
        var job = JobLife.Job() with { Seed = 11, ChoiceCount = 2 };
        var running = worker.RunToEndAsync(job);
        await worker.ClaimedAsync(job.JobId);
        (await Life.Store.CancelJobAsync(job.JobId, TestContext.Current.CancellationToken)).ShouldBeTrue();

        await worker.Renewal.RenewAsync(TestContext.Current.CancellationToken);

        var ended = await running;
        var told = JobEvents.Create(ended, job).ShouldBeOfType<GenerationJobCancelled>();
        (told.Text, told.Usage?.CompletionTokens).ShouldBe(("once upon", 3));
        told.Choices.ShouldNotBeNull()
            .Select(choice => (choice.Index, choice.Text, choice.FinishReason, choice.CompletionTokens))
            .ShouldBe([(0, "once upon", "cancelled", 3), (1, "", "cancelled", 0)]);
        told.Choices[1].Seed.ShouldBe(unchecked((long)Dsde.Engine.Sampling.ChoiceSeeds.Of(11, 1)));
        JobEvents
            .Create(await Life.FindAsync(job.JobId))
            .ShouldBeOfType<GenerationJobCancelled>()
            .Choices.ShouldNotBeNull()
            .Count.ShouldBe(2);
        JobEvents
            .WithoutOutputs(told)
            .ShouldBeOfType<GenerationJobCancelled>()
            .Choices.ShouldNotBeNull()
            .ShouldAllBe(choice => choice.Text == null);
    }

    [Fact]
    public async Task A_batch_that_is_cancelled_takes_its_running_jobs_with_it_and_no_others()
    {
        var release = new TaskCompletionSource();
        var worker = Life.CreateWorker(
            async (request, _) =>
            {
                while (request.Control.ShouldNotBeNull().Asked is null && !release.Task.IsCompleted)
                {
                    await Task.Delay(1, TestContext.Current.CancellationToken);
                }

                return ScriptedEngine.Result(request) with
                {
                    FinishReason = request.Control.Asked ?? FinishReason.Stop,
                };
            }
        );
        var (one, other) = (JobLife.Job() with { BatchId = Guid.NewGuid() }, JobLife.Job() with { BatchId = Guid.NewGuid() });
        var (first, second) = (worker.RunToEndAsync(one), worker.RunToEndAsync(other));
        await worker.ClaimedAsync(one.JobId);
        await worker.ClaimedAsync(other.JobId);

        worker.Running.CancelBatch(one.BatchId.Value);

        (await first).State.ShouldBe(JobState.Cancelled);
        release.SetResult();
        (await second).State.ShouldBe(JobState.Completed);
    }
}
