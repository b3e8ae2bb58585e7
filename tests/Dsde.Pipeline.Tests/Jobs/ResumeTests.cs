using Dsde.Contracts;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Ends;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>With the real engine: a job that changes its worker goes on where it stopped, and nobody can tell from its text.</summary>
public sealed class ResumeTests(DemoEngine demo) : IClassFixture<DemoEngine>, IAsyncLifetime
{
    private const int CheckpointTokens = 16;
    private static readonly WorkerOptions Options = new() { CheckpointTokens = CheckpointTokens };

    private JobLife? _life;

    private JobLife Life => _life ?? throw new InvalidOperationException("Not initialised.");

    public async ValueTask InitializeAsync() => _life = await JobLife.CreateAsync();

    public ValueTask DisposeAsync() => Life.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_job_whose_worker_was_killed_goes_on_from_its_checkpoint_and_has_the_text_of_an_undisturbed_run(int choiceCount)
    {
        var job = Job(choiceCount);
        var expected = await Life.CreateWorker(demo.Engine, Options).RunToEndAsync(job with { JobId = Guid.NewGuid() });
        await RunUntilKilledAsync(job);

        var claimed = await Life.ClaimAsync(job);
        claimed.Checkpoints.ShouldNotBeEmpty();
        claimed.Checkpoints.ShouldAllBe(checkpoint => checkpoint.TokenCount >= CheckpointTokens);
        await Life.Store.ReleaseAsync(claimed.Lease, TestContext.Current.CancellationToken);
        var before = demo.Engine.GetSnapshot().Emitted;
        var ended = await Life.CreateWorker(demo.Engine, Options).RunToEndAsync(job);

        ended.State.ShouldBe(JobState.Completed);
        ended.Outputs.Select(output => output.Text).ShouldBe(expected.Outputs.Select(output => output.Text));
        ended.Outputs.SelectMany(output => output.TokenIds ?? []).ShouldBe(expected.Outputs.SelectMany(output => output.TokenIds ?? []));
        ended.Traces.Select(trace => trace.CompletionTokens).ShouldBe(expected.Traces.Select(trace => trace.CompletionTokens));
        var saved = claimed.Checkpoints.Sum(checkpoint => checkpoint.TokenCount);
        (demo.Engine.GetSnapshot().Emitted - before).ShouldBe(expected.Outputs.Sum(output => output.CompletionTokens) - saved);
    }

    [Fact]
    public async Task A_job_handed_back_by_a_stopping_worker_is_finished_by_the_next_with_the_same_text()
    {
        var job = Job(3);
        var expected = await Life.CreateWorker(demo.Engine, Options).RunToEndAsync(job with { JobId = Guid.NewGuid() });
        TestWorker? stopping = null;
        stopping = Life.CreateWorker(
            demo.Engine,
            Options,
            store =>
                StoreProxy.Create(
                    store,
                    after: call =>
                    {
                        if (call == nameof(store.SaveCheckpointsAsync))
                        {
                            stopping?.Running.HandBackAll();
                        }

                        return Task.CompletedTask;
                    }
                )
        );
        await stopping.Checkpoints.StartAsync(TestContext.Current.CancellationToken);
        var running = stopping.RunAsync(job);

        (await running).ShouldBeOfType<JobOutcome.HandedBack>();
        (await Life.FindAsync(job.JobId)).State.ShouldBe(JobState.Queued);
        var ended = await Life.CreateWorker(demo.Engine, Options).RunToEndAsync(job);
        ended.Outputs.Select(output => output.Text).ShouldBe(expected.Outputs.Select(output => output.Text));
        ended.Attempt.ShouldBe(2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_job_that_is_cut_after_its_worker_was_killed_keeps_the_text_of_its_checkpoint_and_costs_the_engine_nothing(
        bool isExpired
    )
    {
        // The engine goes by the machine's clock: the deadline is beyond it, and the worker's clock is then moved behind the deadline.
        var deadline = TimeProvider.System.GetUtcNow().AddHours(1);
        var job = Job(1) with { ExpiresAt = isExpired ? deadline : null };
        var expected = await Life.CreateWorker(demo.Engine, Options).RunToEndAsync(job with { JobId = Guid.NewGuid() });
        await RunUntilKilledAsync(job);
        Life.Time.SetUtcNow(deadline);
        if (!isExpired)
        {
            await Life.Store.CancelJobAsync(job.JobId, TestContext.Current.CancellationToken);
        }

        var before = demo.Engine.GetSnapshot();
        var ended = await Life.CreateWorker(demo.Engine, Options).RunToEndAsync(job);

        var reason = isExpired ? "expired" : "cancelled";
        (ended.State, ended.CancelReason).ShouldBe((JobState.Cancelled, reason));
        var output = ended.Outputs.ShouldHaveSingleItem();
        output.FinishReason.ShouldBe(reason);
        output.CompletionTokens.ShouldBeGreaterThanOrEqualTo(CheckpointTokens);
        var text = output.Text.ShouldNotBeNull();
        text.ShouldNotBeEmpty();
        expected.Outputs[0].Text.ShouldNotBeNull().ShouldStartWith(text.TrimEnd('\uFFFD'));
        JobEvents.Create(ended, job).ShouldBeOfType<GenerationJobCancelled>().Text.ShouldBe(text);
        demo.Engine.GetSnapshot().Emitted.ShouldBe(before.Emitted);
    }

    private static SubmitGenerationJob Job(int choiceCount) =>
        JobLife.Job() with
        {
            Prompt = "Once upon a time there was",
            MaxTokens = 480, // far from its end at the first checkpoint, however busy the machine
            IgnoreEos = true,
            Temperature = 0.9,
            Seed = 41,
            SamplingMode = "coupled",
            ReturnTokenIds = true,
            ChoiceCount = choiceCount,
        };

    /// <summary>A worker that dies when its first checkpoint is saved: nothing it does afterwards reaches the database.</summary>
    private async Task RunUntilKilledAsync(SubmitGenerationJob job)
    {
        var (isDead, died) = (false, new TaskCompletionSource());
        var doomed = Life.CreateWorker(
            demo.Engine,
            Options,
            store =>
                StoreProxy.Create(
                    store,
                    before: (_, _) =>
                    {
                        if (isDead)
                        {
                            throw StoreProxy.Away();
                        }
                    },
                    after: call =>
                    {
                        if (call == nameof(store.SaveCheckpointsAsync))
                        {
                            isDead = true;
                            died.TrySetResult();
                        }

                        return Task.CompletedTask;
                    }
                )
        );
        await doomed.Checkpoints.StartAsync(TestContext.Current.CancellationToken);
        var running = doomed.RunAsync(job);
        await died.Task.WaitAsync(TestContext.Current.CancellationToken);
        doomed.Running.AbandonAll();
        doomed.Running.HandBackAll();
        (await running).ShouldBeOfType<JobOutcome.HandedBack>();
        while (demo.Engine.GetSnapshot().Running > 0)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken); // it lets go before its next iteration
        }

        Life.Time.Advance(TimeSpan.FromMinutes(2));
    }
}
